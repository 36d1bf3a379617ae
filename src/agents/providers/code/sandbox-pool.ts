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
 * Threads for programs: started when they are needed, kept warm for half a minute, never more than `maxThreads`.
 * Calls beyond that wait in order.
 */
export class SandboxPool {
  private readonly idle: SandboxThread[] = [];
  private readonly busy = new Set<SandboxThread>();
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
    return this.idle.length + this.busy.size;
  }

  /** Runs one program. Never rejects. */
  async run(job: SandboxJob, caller: SandboxCaller, signal: AbortSignal): Promise<SandboxEnd> {
    if (this.waiting.length >= MAX_WAITING) return died(`${MAX_WAITING} calls wait already`);
    if (!(await this.takeTurn(signal))) return signal.aborted ? { kind: 'aborted' } : died(CLOSING);
    const thread = this.idle.pop() ?? new SandboxThread(this.options.entry);
    this.busy.add(thread);
    try {
      return await thread.run(job, caller, signal);
    } finally {
      this.busy.delete(thread);
      if (thread.isAlive && !this.isClosed) this.idle.push(thread);
      this.passTurn();
      this.endIdleLater();
    }
  }

  /** Ends all threads; what is under way or waits answers `died`. */
  async stop(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.idleTimer);
    for (const tell of this.waiting.splice(0)) tell(false);
    await Promise.all([...this.idle.splice(0), ...this.busy].map((thread) => thread.stop()));
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
