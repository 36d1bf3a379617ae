import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
} from 'kysely';

import { POSTGRES, SQLITE, type SqlDialect } from './dialect.js';
import { PostgresAppends } from './postgres-appends.js';
import { SQL_ADAPTERS } from './sql-adapters.js';
import type { SqlAppends } from './sql-appends.js';
import { SqlDatabase } from './sql-database.js';
import type { Tables } from './tables.js';
import { UnitAppends } from './unit-appends.js';

/** The text of every prepared statement of an engine, sorted by name, each under a comment with its name. */
export function renderStatements(engine: SqlDialect['name']): string {
  const database = engine === 'sqlite' ? sqlite() : postgres();
  for (const [, adapter] of SQL_ADAPTERS) new adapter(database);
  return database
    .statements()
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sql }) => `-- ${name}\n${tidy(sql)};\n`)
    .join('\n');
}

function sqlite(): SqlDatabase {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new PaperDatabase(SQLITE, dialect, (database) => new UnitAppends(database));
}

function postgres(): SqlDatabase {
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  return new PaperDatabase(POSTGRES, dialect, (database) => new PostgresAppends(database));
}

/** A database that statements are compiled for and that executes none. */
class PaperDatabase extends SqlDatabase {
  override readonly appends: SqlAppends;

  constructor(dialect: SqlDialect, kysely: Dialect, appends: (database: SqlDatabase) => SqlAppends) {
    super(dialect, new Kysely<Tables>({ dialect: kysely }), { now: () => 0, monotonic: () => 0 });
    this.appends = appends(this);
  }

  override read(): Promise<never> {
    return refuse();
  }

  protected override commit(): Promise<never> {
    return refuse();
  }

  override ping(): Promise<never> {
    return refuse();
  }

  override migrate(): Promise<never> {
    return refuse();
  }

  override acquireStandbyLock(): Promise<never> {
    return refuse();
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('This database is on paper only'));
}

/** Without the indentation that a statement has where it is written. */
function tidy(sql: string): string {
  return sql
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n  ');
}
