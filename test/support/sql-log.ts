/** What SQLite is asked to execute, read off the messages to its threads: no statement reaches it otherwise. */
import { Worker } from 'node:worker_threads';

import type { WireRequest, WireStatement } from '../../src/storage/sql/sqlite-protocol.js';

/** What the engine asks the record by itself, whatever requests come: by the tables of its statements. */
const BACKGROUND = /\b(?:from|into|update) "?(?:owners|runs|run_\w+|idempotency_keys)\b|^select 1$/i;

/** Watches every SQLite thread that is started after it. */
export class SqlLog {
  /** Texts by number, of each thread. */
  private readonly texts = new WeakMap<Worker, Map<number, string>>();
  private readonly send = Object.getOwnPropertyDescriptor(Worker.prototype, 'postMessage')?.value as (
    this: Worker,
    ...message: unknown[]
  ) => void;
  private executed: string[] = [];

  constructor() {
    const watch = (worker: Worker, message: unknown): void => {
      if (isRequest(message)) this.note(worker, message);
    };
    const { send } = this;
    Worker.prototype.postMessage = function (this: Worker, ...message: unknown[]): void {
      watch(this, message[0]);
      send.apply(this, message);
    };
  }

  /** The statements that SQLite gets while something is done, without those of the engine. */
  async during(work: () => Promise<void>): Promise<readonly string[]> {
    this.executed = [];
    await work();
    return this.executed.filter((sql) => !BACKGROUND.test(sql));
  }

  /** Watches no more. */
  close(): void {
    Worker.prototype.postMessage = this.send;
  }

  private note(worker: Worker, request: WireRequest): void {
    const texts = this.texts.get(worker) ?? new Map<number, string>();
    this.texts.set(worker, texts);
    for (const [number, sql] of request.texts) texts.set(number, sql);
    for (const [number] of statementsOf(request)) {
      const sql = texts.get(number);
      if (sql === undefined) throw new Error(`statement ${String(number)} of a thread that was not watched`);
      this.executed.push(sql);
    }
  }
}

function statementsOf(request: WireRequest): readonly WireStatement[] {
  if (request.kind === 'close') return [];
  return request.kind === 'run' ? [request.statement] : request.units.flat(2);
}

function isRequest(message: unknown): message is WireRequest {
  return typeof message === 'object' && message !== null && 'texts' in message && 'kind' in message;
}
