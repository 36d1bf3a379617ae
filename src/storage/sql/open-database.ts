import type { Clock } from '../../platform/clock/clock.js';
import { PostgresDatabase } from './postgres-database.js';
import type { SqlDatabase } from './sql-database.js';
import { SqliteDatabase } from './sqlite-database.js';

/** Where the record lives: SQLite in `dataDir` unless a PostgreSQL URL is given. */
export interface RecordLocation {
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
  /** To PostgreSQL. @default 10 */
  readonly maxConnections?: number | undefined;
}

/**
 * Opens the record and brings its tables up to date.
 *
 * @throws AppError `store.locked` when another process uses the directory, `store.unavailable` when the database can not be reached
 */
export async function openDatabase(
  { dataDir, databaseUrl, maxConnections }: RecordLocation,
  clock: Clock,
): Promise<SqlDatabase> {
  const database =
    databaseUrl === undefined
      ? await SqliteDatabase.open({ directory: dataDir, clock })
      : PostgresDatabase.open({ url: databaseUrl, clock, maxConnections });
  try {
    await database.migrate();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
