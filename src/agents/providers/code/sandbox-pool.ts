import type { SandboxJob } from './sandbox/sandbox-protocol.js';
import { SandboxThread, type SandboxCaller, type SandboxEnd } from './sandbox-thread.js';

const IDLE_MS = 30_000;
const MAX_WAITING = 1000;
const CLOSING = 'the service is closing';

export interface SandboxPoolOptions {
  /** The compiled code.worker.ts. */
  readonly entry: string;
  /** Programs at once; each has a thread of its own. */
  readonly maxThreads: number;
}

/**
 * Threads for programs: started when they are needed, and one ahead, so that a call seldom waits for a start; kept warm
 * for half a minute, never more than `maxThreads`. Calls beyond that wait in order.
 */
export class SandboxPool {
  private readonly idle: SandboxThread[] = [];
  private readonly busy = new Set<SandboxThread>();
  /** Threads whose program went beyond a bound: they count until they are gone. */
  private readonly ending = new Set<SandboxThread>();
  /** Calls that wait for their turn; each is told whether it has come. */
  private readonly waiting: ((hasCome: boolean) => void)[] = [];
  private free: number;
  private idleTimer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly options: SandboxPoolOptions) {
    this.free = options.maxThreads;
  }

  /** How many threads there are. */
  get size(): number {
    return this.idle.length + this.busy.size + this.ending.size;
  }

  /** Runs one program. Never rejects. */
  async run(job: SandboxJob, caller: SandboxCaller, signal: AbortSignal): Promise<SandboxEnd> {
    if (this.waiting.length >= MAX_WAITING) return died(`${MAX_WAITING} calls wait already`);
    if (!(await this.takeTurn(signal))) return signal.aborted ? { kind: 'aborted' } : died(CLOSING);
    const thread = this.takeIdle() ?? new SandboxThread(this.options.entry);
    this.busy.add(thread);
    this.keepSpare();
    try {
      return await thread.run(job, caller, signal);
    } finally {
      this.busy.delete(thread);
      if (thread.isAlive || thread.hasEnded) this.takeBack(thread);
      else void this.takeBackEnded(thread);
    }
  }

  /** Ends all threads; what is under way or waits answers `died`. */
  async stop(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.idleTimer);
    for (const tell of this.waiting.splice(0)) tell(false);
    await Promise.all([...this.idle.splice(0), ...this.busy, ...this.ending].map((thread) => thread.stop()));
  }

  /** Resolves to false when there is no use in a turn any more; else one was taken, and is to be passed on. */
  private takeTurn(signal: AbortSignal): Promise<boolean> {
    if (this.isClosed || signal.aborted) return Promise.resolve(false);
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve(true);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = (): void => {
      const index = this.waiting.indexOf(tell);
      if (index >= 0) this.waiting.splice(index, 1);
      resolve(false);
    };
    const tell = (hasCome: boolean): void => {
      signal.removeEventListener('abort', leave);
      resolve(hasCome);
    };
    this.waiting.push(tell);
    signal.addEventListener('abort', leave, { once: true });
    return promise;
  }

  /** One that has died while nobody looked is passed over. */
  private takeIdle(): SandboxThread | undefined {
    let thread = this.idle.pop();
    while (thread?.isAlive === false) thread = this.idle.pop();
    return thread;
  }

  /** The next call has its turn when the thread is gone; the caller of this one need not wait for that. */
  private async takeBackEnded(thread: SandboxThread): Promise<void> {
    this.ending.add(thread);
    await thread.stop();
    this.ending.delete(thread);
    this.takeBack(thread);
  }

  private takeBack(thread: SandboxThread): void {
    if (thread.isAlive && !this.isClosed) this.idle.push(thread);
    this.keepSpare();
    this.passTurn();
    this.endIdleLater();
  }

  /** A program that goes beyond a bound takes its thread with it: those of others are to find one all the same. */
  private keepSpare(): void {
    if (this.isClosed || this.idle.length > 0 || this.size >= this.options.maxThreads) return;
    this.idle.push(new SandboxThread(this.options.entry));
  }

  private passTurn(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next(true);
  }

  private endIdleLater(): void {
    clearTimeout(this.idleTimer);
    if (this.isClosed) return;
    this.idleTimer = setTimeout(() => {
      for (const thread of this.idle.splice(0)) void thread.stop();
    }, IDLE_MS).unref();
  }
}

function died(reason: string): SandboxEnd {
  return { kind: 'died', reason };
}
