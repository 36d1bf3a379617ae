import { AppError } from '../../kernel/failure.js';
import { egressErrors } from './egress.errors.js';

/** The time that one exchange has, and its caller's own signal. Leaves nothing behind once it has ended. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private isLate = false;

  constructor(
    private readonly timeoutMs: number,
    private readonly caller: AbortSignal | undefined,
  ) {
    this.timer = setTimeout(this.expire, timeoutMs).unref();
    caller?.addEventListener('abort', this.leave);
    if (caller?.aborted === true) this.leave();
  }

  /** Aborted when the time is over or the caller leaves. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The exchange has ended. Safe to call twice. */
  end(): void {
    clearTimeout(this.timer);
    this.caller?.removeEventListener('abort', this.leave);
  }

  /** What really ended the exchange, given what it failed with. */
  explain(error: unknown): unknown {
    if (!this.isLate) return error;
    const message = `The answer did not come within ${this.timeoutMs} ms.`;
    return AppError.of(egressErrors['agent.egress-timed-out'], message, {
      details: { timeoutMs: this.timeoutMs },
    });
  }

  private readonly expire = (): void => {
    this.isLate = true;
    this.controller.abort();
  };

  private readonly leave = (): void => {
    this.controller.abort(this.caller?.reason);
  };
}
