/** How long after something failed it is tried again. */
const RETRY_MS = 1_000;

/** How often the clock is looked at while nothing is due: the one on the wall may be set. Nothing else is asked then. */
const MAX_SLEEP_MS = 60_000;

/** What one look has come to: look again at once, or at a time; undefined when only somebody's asking matters. */
export type NextLook = 'now' | number | undefined;

export interface WakeLoopOptions {
  /** What there is to do. Never called twice at once. */
  readonly look: () => Promise<NextLook>;
  /** The clock that its times are of, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what `look` rejected with; it is called again a second later. */
  readonly onError: (error: unknown) => void;
}

/**
 * Looks for work whenever there is a reason to: somebody asks, or its time has come. Between these it sleeps, on one
 * timer.
 */
export class WakeLoop {
  private isStopped = true;
  private isAsked = false;
  private looking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WakeLoopOptions) {}

  /** Begins with a look; resolves when that is done. */
  start(): Promise<void> {
    this.isStopped = false;
    return this.look();
  }

  /** Looks no more; resolves when the look under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Looks now, or right after the look under way; resolves when that is done. Never rejects. */
  look(): Promise<void> {
    this.isAsked = true;
    if (this.isStopped) return Promise.resolve();
    this.looking ??= this.lookWhileAsked();
    return this.looking;
  }

  /** Looks soon, because something failed. */
  retry(error: unknown): void {
    this.options.onError(error);
    this.sleepUntil(this.options.now() + RETRY_MS);
  }

  private async lookWhileAsked(): Promise<void> {
    try {
      while (this.isAsked && !this.isStopped) {
        this.isAsked = false;
        const next = await this.options.look();
        if (next === 'now') this.isAsked = true;
        else if (next !== undefined) this.sleepUntil(next);
      }
    } catch (error) {
      this.retry(error);
    } finally {
      this.looking = undefined;
    }
  }

  private sleepUntil(at: number): void {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const delay = Math.min(Math.max(0, at - this.options.now()), MAX_SLEEP_MS);
    this.timer = setTimeout(() => {
      if (this.options.now() >= at) void this.look();
      else this.sleepUntil(at);
    }, delay);
  }
}
