import { Worker } from 'node:worker_threads';

import type {
  FromThread,
  SandboxFetch,
  SandboxJob,
  SandboxResult,
  ToThread,
} from './sandbox/sandbox-protocol.js';

/** How long a program may overrun its own time before its thread is ended: it keeps its bounds itself where it can. */
const OVERRUN_MS = 100;
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/** What the caller of a program does for it. */
export interface SandboxCaller {
  /** A line of the console. */
  log(text: string): void;
  /** Answers with JSON: what came back, or `{ error }`. Never rejects. */
  fetch(call: SandboxFetch): Promise<string>;
}

/** How a call ended. `died`: its thread did, for a reason that is not the program's. */
export type SandboxEnd =
  SandboxResult | { readonly kind: 'aborted' } | { readonly kind: 'died'; readonly reason: string };

/**
 * One thread of the sandbox, for one program at a time. It has an empty environment; a program that does not end
 * when it should ends with it.
 */
export class SandboxThread {
  private readonly worker: Worker;
  private turn: { readonly caller: SandboxCaller; readonly end: (end: SandboxEnd) => void } | undefined;
  private alive = true;
  private exited = false;

  constructor(entry: string) {
    this.worker = new Worker(entry, { env: {}, argv: [], execArgv: [], resourceLimits: RESOURCE_LIMITS });
    this.worker.unref();
    this.worker.on('message', (message: FromThread) => this.take(message));
    this.worker.on('error', (error: Error & { readonly code?: string }) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.finish(isMemory ? { kind: 'limit', limit: 'memory' } : { kind: 'died', reason: error.message });
    });
    this.worker.once('exit', () => {
      this.exited = true;
      this.finish({ kind: 'died', reason: 'the thread ended' });
    });
  }

  /** False once it can take no more programs. */
  get isAlive(): boolean {
    return this.alive;
  }

  /** Whether it is gone. */
  get hasEnded(): boolean {
    return this.exited;
  }

  /** Runs one program. Never rejects; an abort ends it with its thread, which may take longer than this. */
  async run(job: SandboxJob, caller: SandboxCaller, signal: AbortSignal): Promise<SandboxEnd> {
    const { promise, resolve } = Promise.withResolvers<SandboxEnd>();
    const stop = (end: SandboxEnd): void => {
      this.alive = false;
      resolve(end);
    };
    const abort = (): void => stop({ kind: 'aborted' });
    const timer = setTimeout(stop, job.timeoutMs + OVERRUN_MS, { kind: 'limit', limit: 'time' });
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    this.turn = { caller, end: resolve };
    this.worker.ref();
    this.say({ type: 'run', job });
    const end = await promise;
    this.turn = undefined;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    // A program that went beyond a bound may have left its thread in the midst of something.
    if (end.kind === 'limit' || !this.alive) void this.stop();
    else this.worker.unref();
    return end;
  }

  /** Ends the thread; resolves when it has ended. */
  async stop(): Promise<void> {
    this.alive = false;
    await this.worker.terminate();
  }

  private take(message: FromThread): void {
    const { turn } = this;
    if (turn === undefined) return;
    switch (message.type) {
      case 'console':
        turn.caller.log(message.text);
        break;
      case 'fetch':
        void turn.caller.fetch(message).then((answer) => {
          if (this.turn === turn) this.say({ type: 'fetched', callId: message.callId, answer });
        });
        break;
      case 'ended':
        turn.end(message.result);
        break;
    }
  }

  private finish(end: SandboxEnd): void {
    this.alive = false;
    this.turn?.end(end);
  }

  private say(message: ToThread): void {
    this.worker.postMessage(message);
  }
}
