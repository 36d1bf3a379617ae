import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

import { AppError } from '../../kernel/failure.js';
import type { Clock } from '../../platform/clock/clock.js';
import { POSTGRES } from './dialect.js';
import { migrate } from './migrate.js';
import { PostgresAppends } from './postgres-appends.js';
import { isUndone, postgresError } from './postgres-error.js';
import { StandbyLock } from './postgres-standby.js';
import { PostgresUnit } from './postgres-unit.js';
import type { SqlAppends } from './sql-appends.js';
import { SqlDatabase } from './sql-database.js';
import type { Statement, UnitOutcome, WriteUnit } from './statement.js';
import { storageErrors } from './storage.errors.js';
import type { Tables } from './tables.js';

export interface PostgresOptions {
  readonly url: string;
  readonly clock: Clock;
  /** @default 10 */
  readonly maxConnections?: number | undefined;
  /** How often parts of the log for the months to come are made. @default a day */
  readonly extendEveryMs?: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
/** The server gives a statement up, and if it does not answer at all, so do we. */
const STATEMENT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 15_000;
const PING_TIMEOUT_MS = 1_000;
const MAX_TRIES = 3;
const DAY_MS = 86_400_000;

/** The record on PostgreSQL, through one pool of connections. */
export class PostgresDatabase extends SqlDatabase {
  override readonly appends: SqlAppends = new PostgresAppends(this);
  private readonly standby: StandbyLock;
  private extending: NodeJS.Timeout | undefined;

  private constructor(
    private readonly pool: pg.Pool,
    private readonly options: PostgresOptions,
  ) {
    super(POSTGRES, new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), options.clock);
    this.standby = new StandbyLock(connection(options.url));
  }

  /** Makes the pool; the first connection is opened when something asks for it. */
  static open(options: PostgresOptions): PostgresDatabase {
    const pool = new pg.Pool({
      ...connection(options.url),
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      pipeline: true,
    });
    survive(pool);
    return new PostgresDatabase(pool, options);
  }

  override async read<R>({ name, sql, parameters }: Statement<R>): Promise<readonly R[]> {
    try {
      const { rows } = await this.pool.query({ name, text: sql, values: [...parameters] });
      return rows as readonly R[];
    } catch (error) {
      throw postgresError(error);
    }
  }

  protected override async commit(unit: WriteUnit): Promise<UnitOutcome> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.writeOnce(unit);
      } catch (error) {
        if (tries === MAX_TRIES || !isUndone(error)) throw postgresError(error);
      }
    }
  }

  override async ping(): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(AppError.of(storageErrors['store.unavailable'], 'PostgreSQL does not answer'));
    }, PING_TIMEOUT_MS);
    try {
      await Promise.race([this.read({ name: 'ping', sql: 'select 1', parameters: [] }), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** On a connection of its own, because a migration may take longer than a statement should. */
  override async migrate(): Promise<void> {
    const pool = new pg.Pool({
      ...connection(this.options.url),
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    survive(pool);
    const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    try {
      await migrate(kysely, this.dialect, this.options.clock.now());
    } catch (error) {
      throw postgresError(error);
    } finally {
      await kysely.destroy();
    }
    this.extending ??= setInterval(() => void this.extendLog(), this.options.extendEveryMs ?? DAY_MS).unref();
  }

  override async acquireStandbyLock(onWait?: () => void): Promise<void> {
    try {
      await this.standby.acquire(onWait);
    } catch (error) {
      throw postgresError(error);
    }
  }

  override async close(): Promise<void> {
    clearInterval(this.extending);
    await this.standby.close();
    if (!this.pool.ending) await this.pool.end();
  }

  /** For a process that lives for months. What fails is tried again the next time: there is time until it is needed. */
  private async extendLog(): Promise<void> {
    const { clock } = this.options;
    const extended = this.kysely.transaction().execute(async (transaction) => {
      const db = transaction as unknown as Kysely<never>;
      await this.dialect.lockSchema(db);
      await this.dialect.extendLog(db, clock.now());
    });
    await extended.catch(() => undefined);
  }

  private async writeOnce(unit: WriteUnit): Promise<UnitOutcome> {
    const client = await this.pool.connect();
    let broken = true;
    try {
      const outcome = await new PostgresUnit(client, unit).execute();
      broken = false;
      return outcome;
    } catch (error) {
      broken = !(await rolledBack(client));
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

/**
 * A connection that breaks rejects the statement that it carries and leaves the pool. One that carries none, idle or
 * within a transaction, would end the process without a listener.
 */
function survive(pool: pg.Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** Whether the connection is usable and outside any transaction again. */
async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}

/** The record's integers are times, counts and micro-dollars, all below 2^53. */
function connection(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'ensemble',
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) =>
        oid === pg.types.builtins.INT8
          ? Number
          : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
    },
  };
}
