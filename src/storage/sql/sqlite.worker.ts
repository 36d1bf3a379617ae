/**
 * Entry of the SQLite threads. The writer holds the lock of the directory and executes batches of units, each batch
 * in one transaction; the reader executes queries. Nothing here knows what a statement means.
 */
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

import type {
  SqliteThreadOptions,
  WireError,
  WireOutcome,
  WireReply,
  WireRequest,
  WireResult,
  WireStatement,
  WireUnit,
} from './sqlite-protocol.js';

type Query = Database.Statement;

/** A guard failed after something of its unit was written: only a transaction of its own can undo that. */
class Spoiled extends Error {}

const BUSY_TIMEOUT_MS = 5_000;
/** The writer copies the log into the database when it has grown to this many pages of 4 KiB. */
const CHECKPOINT_PAGES = 4_000;

class SqliteThread {
  private readonly texts = new Map<number, string>();
  private readonly queries = new Map<number, Query>();
  private readonly begin: Query;
  private readonly commit: Query;
  private readonly rollback: Query;

  constructor(
    private readonly database: Database.Database,
    private readonly lock: Database.Database | undefined,
  ) {
    this.begin = database.prepare('begin immediate');
    this.commit = database.prepare('commit');
    this.rollback = database.prepare('rollback');
  }

  answer(request: WireRequest): WireReply {
    for (const [number, text] of request.texts) this.texts.set(number, text);
    try {
      return this.perform(request);
    } catch (error) {
      return { kind: 'failed', id: request.id, error: wireError(error) };
    }
  }

  private perform(request: WireRequest): WireReply {
    const { id } = request;
    switch (request.kind) {
      case 'batch':
        return { kind: 'batch', id, outcomes: this.executeBatch(request.units) };
      case 'run':
        return { kind: 'run', id, result: this.execute(request.statement) };
      case 'close':
        this.database.close();
        this.lock?.close();
        return { kind: 'closed', id };
    }
  }

  /** All units in one transaction; if anything unexpected happens, each alone in its own. */
  private executeBatch(units: readonly WireUnit[]): readonly WireOutcome[] {
    try {
      return this.inTransaction(() => units.map((unit) => this.executeUnit(unit)));
    } catch (error) {
      return units.length === 1 && !(error instanceof Spoiled)
        ? [{ error: wireError(error) }]
        : units.map((unit) => this.executeAlone(unit));
    }
  }

  private executeAlone(unit: WireUnit): WireOutcome {
    try {
      return this.inTransaction(() => this.executeUnit(unit));
    } catch (error) {
      if (!(error instanceof Spoiled)) return { error: wireError(error) };
      return this.explain(unit);
    }
  }

  private explain(unit: WireUnit): WireOutcome {
    try {
      return { held: false, results: this.executeAll(unit[1]) };
    } catch (error) {
      return { error: wireError(error) };
    }
  }

  private inTransaction<T>(work: () => T): T {
    this.begin.run();
    try {
      const result = work();
      this.commit.run();
      return result;
    } catch (error) {
      if (this.database.inTransaction) this.rollback.run();
      throw error;
    }
  }

  private executeUnit([statements, otherwise]: WireUnit): WireOutcome {
    const results: WireResult[] = [];
    let written = false;
    for (const statement of statements) {
      const result = this.execute(statement);
      const changes = typeof result === 'number' ? result : result.length;
      if (statement[2] && changes === 0) {
        if (written) throw new Spoiled();
        return { held: false, results: this.executeAll(otherwise) };
      }
      written ||= changes > 0 && !this.queryOf(statement[0]).readonly;
      results.push(result);
    }
    return { held: true, results };
  }

  private executeAll(statements: readonly WireStatement[]): readonly WireResult[] {
    return statements.map((statement) => this.execute(statement));
  }

  private execute([text, parameters]: WireStatement): WireResult {
    const query = this.queryOf(text);
    return query.reader ? query.all(...parameters) : query.run(...parameters).changes;
  }

  private queryOf(text: number): Query {
    let query = this.queries.get(text);
    if (query === undefined) {
      query = this.database.prepare(this.texts.get(text) ?? '');
      this.queries.set(text, query);
    }
    return query;
  }
}

function wireError(error: unknown): WireError {
  if (error instanceof Database.SqliteError) return { code: error.code, message: error.message };
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}

/** Held for the life of the thread. A pid file would outlive a killed process; this does not. */
function takeLock(directory: string): Database.Database {
  const lock = new Database(join(directory, 'lock.db'), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

function openDatabase(options: SqliteThreadOptions): Database.Database {
  const database = new Database(join(options.directory, 'ensemble.db'), { timeout: BUSY_TIMEOUT_MS });
  database.pragma('journal_mode = wal');
  database.pragma('synchronous = full');
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.pragma('cache_size = -32000');
  if (options.role === 'reader') database.pragma('query_only = true');
  return database;
}

function serve(port: MessagePort, options: SqliteThreadOptions): void {
  const lock = options.role === 'writer' ? takeLock(options.directory) : undefined;
  const thread = new SqliteThread(openDatabase(options), lock);
  port.on('message', (request: WireRequest) => {
    const reply = thread.answer(request);
    port.postMessage(reply);
    if (reply.kind === 'closed') port.close();
  });
  port.postMessage({ kind: 'ready' } satisfies WireReply);
}

if (parentPort !== null) {
  try {
    serve(parentPort, workerData as SqliteThreadOptions);
  } catch (error) {
    parentPort.postMessage({ kind: 'refused', error: wireError(error) } satisfies WireReply);
  }
}
