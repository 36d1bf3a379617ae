/** Kysely on the SQLite threads: reads go to the reader, writes to the committer, a transaction holds the writer. */
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely';

import type { SqliteCommitter } from './sqlite-committer.js';
import type { SqliteThread } from './sqlite-thread.js';
import type { Statement, StatementResult } from './statement.js';

export interface SqliteThreads {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  readonly committer: SqliteCommitter;
}

/** The Kysely dialect over already opened threads, which it does not close. */
export function sqliteThreadDialect(threads: SqliteThreads): Dialect {
  return {
    createDriver: () => new SqliteThreadDriver(threads),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  };
}

class SqliteThreadDriver implements Driver {
  constructor(private readonly threads: SqliteThreads) {}

  init(): Promise<void> {
    return Promise.resolve();
  }

  acquireConnection(): Promise<SqliteThreadConnection> {
    return Promise.resolve(new SqliteThreadConnection(this.threads));
  }

  beginTransaction(connection: SqliteThreadConnection): Promise<void> {
    return connection.begin();
  }

  commitTransaction(connection: SqliteThreadConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: SqliteThreadConnection): Promise<void> {
    return connection.rollback();
  }

  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}

class SqliteThreadConnection implements DatabaseConnection {
  private release: (() => void) | undefined;

  constructor(private readonly threads: SqliteThreads) {}

  async begin(): Promise<void> {
    this.release = await this.threads.committer.hold();
    try {
      await this.threads.writer.run(plain('begin immediate'));
    } catch (error) {
      this.letGo();
      throw error;
    }
  }

  /** A commit that fails leaves the writer held: Kysely rolls back next. */
  async commit(): Promise<void> {
    await this.threads.writer.run(plain('commit'));
    this.letGo();
  }

  async rollback(): Promise<void> {
    try {
      await this.threads.writer.run(plain('rollback'));
    } finally {
      this.letGo();
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.route(query);
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    await Promise.resolve();
    throw new Error('Reading in a stream is not available: read pages');
  }

  private async route(query: CompiledQuery): Promise<StatementResult> {
    const statement = plain(query.sql, query.parameters);
    if (this.release !== undefined) return this.threads.writer.run(statement);
    if (query.query.kind === 'SelectQueryNode') return this.threads.reader.run(statement);
    const outcome = await this.threads.committer.commit({ statements: [statement] });
    return outcome.results[0] ?? { rows: [], changes: 0 };
  }

  private letGo(): void {
    this.release?.();
    this.release = undefined;
  }
}

function plain(sql: string, parameters: readonly unknown[] = []): Statement {
  return { name: '', sql, parameters };
}
