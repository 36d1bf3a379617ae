/**
 * One call of a program in an engine that is made for it and thrown away after it.
 *
 * Decided here: what a program is given and how it may end. Nothing is freed: the engine's memory goes as a whole.
 */
import type {
  QuickJSContext,
  QuickJSDeferredPromise,
  QuickJSHandle,
  QuickJSRuntime,
} from 'quickjs-emscripten';

import type { Engine } from './engine.js';
import { PRELUDE } from './prelude.js';
import type { SandboxFetch, SandboxJob, SandboxLimit, SandboxResult } from './sandbox-protocol.js';

/** The name of the program's file in its own messages. */
export const FILE = 'agent.js';
const MAX_LINES = 200;
const MAX_CONSOLE = 65_536;
const MAX_LINE = 1000;
const MAX_FETCHES = 100;
const MAX_SENT = 4 * 1024 * 1024;
const JOBS_AT_ONCE = 1000;
const NEVER_SETTLES = 'The program awaits something that never comes: there are no timers here.';

/** What a program can have done outside. */
export interface ProgramHost {
  log(text: string): void;
  fetch(call: SandboxFetch): void;
}

export class Program {
  private readonly runtime: QuickJSRuntime;
  private readonly context: QuickJSContext;
  private readonly deadline: number;
  private readonly fetches = new Map<number, QuickJSDeferredPromise>();
  private readonly ended = Promise.withResolvers<SandboxResult>();
  private result: QuickJSHandle | undefined;
  private stringify: QuickJSHandle | undefined;
  private describe: QuickJSHandle | undefined;
  private lines = 0;
  private written = 0;
  private fetched = 0;
  private isLate = false;

  constructor(
    private readonly engine: Engine,
    private readonly job: SandboxJob,
    private readonly host: ProgramHost,
  ) {
    this.deadline = performance.now() + job.timeoutMs;
    this.runtime = engine.runtime;
    this.context = this.runtime.newContext();
    this.runtime.setInterruptHandler(() => (this.isLate ||= performance.now() > this.deadline));
  }

  /** Runs the program to its end. Never rejects. */
  async run(): Promise<SandboxResult> {
    const timer = setTimeout(() => this.end({ kind: 'limit', limit: 'time' }), this.job.timeoutMs);
    this.attempt(() => this.start());
    const result = await this.ended.promise;
    clearTimeout(timer);
    return this.isLate ? { kind: 'limit', limit: 'time' } : result;
  }

  /** What came of a fetch: JSON. */
  settle(callId: number, answer: string): void {
    const deferred = this.fetches.get(callId);
    this.fetches.delete(callId);
    if (deferred === undefined) return;
    this.attempt(() => {
      deferred.resolve(this.context.newString(answer));
      this.proceed();
    });
  }

  private start(): void {
    const { context, job } = this;
    const kit = this.prepare();
    this.stringify = context.getProp(kit, 'stringify');
    this.describe = context.getProp(kit, 'describe');
    const tools = this.callOrThrow(context.getProp(kit, 'toolsOf'), context.newString(job.idempotencyKey));
    const parse = context.getProp(kit, 'parse');
    const module = context.evalCode(job.source, FILE, { type: 'module' });
    if (module.error !== undefined) {
      this.end(this.endOf(module.error));
      return;
    }
    const exports = this.awaited(module.value);
    if (exports === undefined) return;
    const main = context.getProp(exports, 'default');
    if (context.typeof(main) !== 'function') {
      this.end({ kind: 'invalid', message: 'the default export is not a function' });
      return;
    }
    const input = this.callOrThrow(parse, context.newString(job.input));
    const called = context.callFunction(main, context.undefined, input, tools);
    if (called.error !== undefined) {
      this.end(this.endOf(called.error));
      return;
    }
    this.result = called.value;
    this.proceed();
  }

  private prepare(): QuickJSHandle {
    const { context } = this;
    const log = context.newFunction('log', (text) => {
      this.log(text);
    });
    const send = context.newFunction('send', (url, init) => this.send(url, init));
    const prelude = context.unwrapResult(context.evalCode(PRELUDE, 'prelude.js'));
    return this.callOrThrow(prelude, log, send, context.newNumber(MAX_LINES));
  }

  /** A module without `await` at its top is its exports at once; one with has to settle without help. */
  private awaited(module: QuickJSHandle): QuickJSHandle | undefined {
    this.runJobs();
    const state = this.context.getPromiseState(module);
    if (state.type === 'fulfilled') return state.value;
    this.end(state.type === 'pending' ? neverSettles() : this.endOf(state.error));
    return undefined;
  }

  /** Runs what is ready, and ends when the program has, or can not any more. */
  private proceed(): void {
    if (!this.runJobs() || this.result === undefined) return;
    const state = this.context.getPromiseState(this.result);
    if (state.type === 'fulfilled') this.end(this.outputOf(state.value));
    else if (state.type === 'rejected') this.end(this.endOf(state.error));
    else if (this.fetches.size === 0) this.end(neverSettles());
  }

  private runJobs(): boolean {
    while (this.runtime.hasPendingJob()) {
      const ran = this.runtime.executePendingJobs(JOBS_AT_ONCE);
      if (performance.now() > this.deadline) this.isLate = true;
      if (ran.error === undefined && !this.isLate) continue;
      this.end(ran.error === undefined ? { kind: 'limit', limit: 'time' } : this.endOf(ran.error));
      return false;
    }
    return true;
  }

  private outputOf(value: QuickJSHandle): SandboxResult {
    const { context, job, stringify } = this;
    const text = stringify && context.callFunction(stringify, context.undefined, value);
    if (text?.error !== undefined) return this.endOf(text.error);
    if (text === undefined || context.typeof(text.value) !== 'string')
      return { kind: 'output', json: 'null' };
    if (this.lengthOf(text.value) > job.maxOutputBytes) return { kind: 'limit', limit: 'output' };
    const json = context.getString(text.value);
    return Buffer.byteLength(json) > job.maxOutputBytes
      ? { kind: 'limit', limit: 'output' }
      : { kind: 'output', json };
  }

  /** An exception of the program, or the bound that it stands for. */
  private endOf(error: QuickJSHandle): SandboxResult {
    const { context, describe } = this;
    if (this.isExhausted(error)) return { kind: 'limit', limit: 'memory' };
    const described = describe && context.callFunction(describe, context.undefined, error);
    if (described?.error !== undefined || described === undefined) {
      const limit =
        described?.error === undefined
          ? undefined
          : limitNamed(context.getString(context.getProp(described.error, 'message')));
      return limit === undefined
        ? { kind: 'threw', message: 'it threw what has no text' }
        : { kind: 'limit', limit };
    }
    return thrown(JSON.parse(context.getString(described.value)) as Described);
  }

  /** The engine throws null where it has no memory left for an error. */
  private isExhausted(error: QuickJSHandle): boolean {
    return this.context.eq(error, this.context.null) && this.engine.hasBeenFull();
  }

  private log(text: QuickJSHandle): void {
    if (this.lines >= MAX_LINES || this.written >= MAX_CONSOLE) return;
    const line = this.lengthOf(text) > MAX_LINE ? '…' : this.context.getString(text);
    this.lines += 1;
    this.written += line.length;
    const isLast = this.lines >= MAX_LINES || this.written >= MAX_CONSOLE;
    this.host.log(isLast ? `${line} … (what follows is left out)` : line);
  }

  private send(url: QuickJSHandle, init: QuickJSHandle): QuickJSHandle {
    const { context } = this;
    const deferred = context.newPromise();
    const callId = ++this.fetched;
    const isTooLarge = this.lengthOf(url) + this.lengthOf(init) > MAX_SENT;
    if (callId > MAX_FETCHES || isTooLarge) {
      const message = isTooLarge
        ? `a request has at most ${MAX_SENT} characters`
        : `a call makes at most ${MAX_FETCHES} requests`;
      deferred.resolve(context.newString(JSON.stringify({ error: { message, retryable: false } })));
      return deferred.handle;
    }
    this.fetches.set(callId, deferred);
    this.host.fetch({ callId, url: context.getString(url), init: context.getString(init) });
    return deferred.handle;
  }

  private callOrThrow(fn: QuickJSHandle, ...args: QuickJSHandle[]): QuickJSHandle {
    return this.context.unwrapResult(this.context.callFunction(fn, this.context.undefined, ...args));
  }

  private lengthOf(text: QuickJSHandle): number {
    return this.context.typeof(text) === 'string'
      ? this.context.getNumber(this.context.getProp(text, 'length'))
      : 0;
  }

  /** What breaks through the engine's own checks: an allocation failed in between, or the native stack gave way. */
  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      const message = error instanceof Error ? `${error.name} ${error.message}` : '';
      this.end({ kind: 'limit', limit: limitNamed(message) ?? 'memory' });
    }
  }

  private end(result: SandboxResult): void {
    this.ended.resolve(result);
  }
}

interface Described {
  readonly message: string;
  readonly stack: string;
  readonly name: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number;
}

function thrown({ message, stack, name, retryable, retryAfterMs }: Described): SandboxResult {
  const limit = name === 'InternalError' ? limitNamed(message) : undefined;
  if (limit !== undefined) return { kind: 'limit', limit };
  const [, line, column] = new RegExp(`${FILE}:(\\d+)(?::(\\d+))?`).exec(stack) ?? [];
  return {
    kind: 'threw',
    message,
    ...(line !== undefined && { line: Number(line) }),
    ...(column !== undefined && { column: Number(column) }),
    ...(retryable && { retryable }),
    ...(retryAfterMs >= 0 && { retryAfterMs }),
  };
}

function limitNamed(message: string): SandboxLimit | undefined {
  if (message.includes('interrupted')) return 'time';
  if (message.includes('out of memory') || message.includes('string too long')) return 'memory';
  return /stack overflow|call stack/.test(message) ? 'stack' : undefined;
}

function neverSettles(): SandboxResult {
  return { kind: 'limit', limit: 'time', message: NEVER_SETTLES };
}
