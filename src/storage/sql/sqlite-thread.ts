import { Worker } from 'node:worker_threads';

import { AppError } from '../../kernel/failure.js';
import { workerEntry } from '../../platform/lifecycle/worker-entry.js';
import type { Answer } from './grouping.js';
import { sqliteError, sqliteUnavailable } from './sqlite-error.js';
import type {
  SqliteThreadOptions,
  WireReply,
  WireRequest,
  WireResult,
  WireStatement,
  WireUnit,
} from './sqlite-protocol.js';
import type { Statement, StatementResult, UnitOutcome, WriteUnit } from './statement.js';
import { storageErrors } from './storage.errors.js';

interface Waiting {
  readonly resolve: (reply: WireReply) => void;
  readonly reject: (error: Error) => void;
}

type Body<K extends WireRequest['kind']> = Omit<Extract<WireRequest, { kind: K }>, 'id' | 'texts'>;

/** One SQLite thread as seen from the main thread. */
export class SqliteThread {
  private readonly waiting = new Map<number, Waiting>();
  private readonly numbers = new Map<string, number>();
  private texts: (readonly [number, string])[] = [];
  private lastId = 0;
  private gone: Error | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (reply: WireReply) => {
      this.settle(reply);
    });
    worker.on('error', (error) => {
      this.fail(sqliteUnavailable(`The SQLite thread ended: ${messageOf(error)}`));
    });
    worker.on('exit', () => {
      this.fail(sqliteUnavailable('The SQLite thread ended'));
    });
  }

  /**
   * Starts a thread and resolves when its database is open.
   *
   * @throws AppError `store.locked` when another process holds the directory, `store.unavailable` when it can not be opened
   */
  static async start(options: SqliteThreadOptions): Promise<SqliteThread> {
    const worker = new Worker(workerEntry('storage/sql/sqlite.worker.js'), {
      workerData: options,
      // Flags of the process may make no sense for a thread (`--input-type`, `--eval`).
      execArgv: [],
    });
    const reply = await firstReply(worker);
    if (reply.kind === 'ready') return new SqliteThread(worker);
    await worker.terminate();
    throw refusal(reply, options.directory);
  }

  async executeBatch(units: readonly WriteUnit[]): Promise<readonly Answer<UnitOutcome>[]> {
    const reply = await this.send<'batch'>({
      kind: 'batch',
      units: units.map((unit) => this.wireUnit(unit)),
    });
    if (reply.kind !== 'batch') throw unexpected(reply);
    return reply.outcomes.map((outcome) =>
      'error' in outcome
        ? { error: sqliteError(outcome.error) }
        : { value: { held: outcome.held, results: outcome.results.map(resultOf) } },
    );
  }

  async run(statement: Statement): Promise<StatementResult> {
    const reply = await this.send<'run'>({ kind: 'run', statement: this.wireStatement(statement) });
    if (reply.kind !== 'run') throw unexpected(reply);
    return resultOf(reply.result);
  }

  /** Closes the database and ends the thread. Requests sent before are answered first. */
  async close(): Promise<void> {
    if (this.gone !== undefined) return;
    const closed = this.send<'close'>({ kind: 'close' });
    const ended = new Promise<void>((resolve) =>
      this.worker.once('exit', () => {
        resolve();
      }),
    );
    await closed;
    await ended;
  }

  private async send<K extends WireRequest['kind']>(body: Body<K>): Promise<WireReply> {
    if (this.gone !== undefined) throw this.gone;
    const id = ++this.lastId;
    const texts = this.texts;
    if (texts.length > 0) this.texts = [];
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...body, id, texts });
    });
  }

  private settle(reply: WireReply): void {
    if (reply.kind === 'ready' || reply.kind === 'refused') return;
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.kind === 'failed') waiting?.reject(sqliteError(reply.error));
    else waiting?.resolve(reply);
  }

  private fail(error: Error): void {
    this.gone ??= error;
    for (const { reject } of this.waiting.values()) reject(this.gone);
    this.waiting.clear();
  }

  private wireUnit({ statements, otherwise = [] }: WriteUnit): WireUnit {
    return [
      statements.map((one) => this.wireStatement(one)),
      otherwise.map((one) => this.wireStatement(one)),
    ];
  }

  private wireStatement({ sql, parameters, guard }: Statement): WireStatement {
    return [this.numberOf(sql), parameters, guard === true];
  }

  private numberOf(sql: string): number {
    let number = this.numbers.get(sql);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(sql, number);
      this.texts.push([number, sql]);
    }
    return number;
  }
}

function firstReply(worker: Worker): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => {
      reject(sqliteUnavailable(`The SQLite thread did not start: ${messageOf(error)}`));
    });
    worker.once('exit', () => {
      reject(sqliteUnavailable('The SQLite thread did not start'));
    });
  });
}

function refusal(reply: WireReply, directory: string): Error {
  if (reply.kind !== 'refused') return unexpected(reply);
  if (reply.error.code !== 'SQLITE_BUSY') return sqliteError(reply.error);
  return AppError.of(
    storageErrors['store.locked'],
    `Another process uses the storage directory "${directory}". Stop it, or give this one a directory of its own with DATA_DIR.`,
  );
}

function resultOf(result: WireResult): StatementResult {
  return typeof result === 'number'
    ? { rows: [], changes: result }
    : { rows: result, changes: result.length };
}

function unexpected(reply: WireReply): Error {
  return new Error(`The SQLite thread answered with "${reply.kind}"`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
