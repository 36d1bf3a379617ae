import { mkdir } from 'node:fs/promises';

import { Kysely } from 'kysely';

import type { Clock } from '../../platform/clock/clock.js';
import { SQLITE } from './dialect.js';
import { migrate } from './migrate.js';
import type { SqlAppends } from './sql-appends.js';
import { SqlDatabase } from './sql-database.js';
import type { Tables } from './tables.js';
import { SqliteCommitter } from './sqlite-committer.js';
import { sqliteThreadDialect, type SqliteThreads } from './sqlite-driver.js';
import { SqliteThread } from './sqlite-thread.js';
import type { Statement, UnitOutcome, WriteUnit } from './statement.js';
import { UnitAppends } from './unit-appends.js';

export interface SqliteOptions {
  /** The folder of the database; made when it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
}

const PING: Statement = { name: 'ping', sql: 'select 1', parameters: [] };

/** The record in one file, written by one thread and read by another; the main thread never executes SQL. */
export class SqliteDatabase extends SqlDatabase {
  override readonly appends: SqlAppends = new UnitAppends(this);

  private constructor(
    private readonly threads: SqliteThreads,
    clock: Clock,
  ) {
    super(SQLITE, new Kysely<Tables>({ dialect: sqliteThreadDialect(threads) }), clock);
  }

  /**
   * Opens the database of a directory and locks the directory for this process.
   *
   * @throws AppError `store.locked` when another process holds it
   */
  static async open({ directory, clock }: SqliteOptions): Promise<SqliteDatabase> {
    await mkdir(directory, { recursive: true });
    const writer = await SqliteThread.start({ role: 'writer', directory });
    try {
      const reader = await SqliteThread.start({ role: 'reader', directory });
      return new SqliteDatabase({ writer, reader, committer: new SqliteCommitter(writer) }, clock);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  override async read<R>(statement: Statement<R>): Promise<readonly R[]> {
    const { rows } = await this.threads.reader.run(statement);
    return rows as readonly R[];
  }

  protected override commit(unit: WriteUnit): Promise<UnitOutcome> {
    return this.threads.committer.commit(unit);
  }

  override async ping(): Promise<void> {
    await Promise.all([this.read(PING), this.write({ statements: [PING] })]);
  }

  override migrate(): Promise<void> {
    return migrate(this.kysely, this.dialect, this.clock.now());
  }

  /** The lock of the directory is held since the database was opened. */
  override acquireStandbyLock(): Promise<void> {
    return Promise.resolve();
  }

  override async close(): Promise<void> {
    await this.threads.committer.drain();
    await this.threads.reader.close();
    await this.threads.writer.close();
  }
}
