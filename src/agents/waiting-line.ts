/** Calls that wait for one agent in this process, first come first served. The first one asks; the others wait for it. */
export class WaitingLine {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;
  private wake: (() => void) | undefined;

  /** Calls that wait, the first one included. */
  get length(): number {
    return this.waiting.length + (this.isTaken ? 1 : 0);
  }

  /** Resolves with true when it is the caller's turn, which then must `leave`; with false when it was aborted before. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (!this.isTaken) {
      this.isTaken = true;
      return true;
    }
    const turn = Promise.withResolvers<boolean>();
    const come = (): void => {
      turn.resolve(true);
    };
    const abort = (): void => {
      const place = this.waiting.indexOf(come);
      if (place >= 0) this.waiting.splice(place, 1);
      turn.resolve(false);
    };
    this.waiting.push(come);
    signal.addEventListener('abort', abort, { once: true });
    const hasTurn = await turn.promise;
    signal.removeEventListener('abort', abort);
    return hasTurn;
  }

  /** Lets the next one come first. */
  leave(): void {
    const next = this.waiting.shift();
    this.isTaken = next !== undefined;
    next?.();
  }

  /** The first one's wait: ends after a time, at `stir`, or when it is aborted. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<undefined>();
    const end = (): void => {
      over.resolve(undefined);
    };
    const timer = setTimeout(end, ms);
    this.wake = end;
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    await over.promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    this.wake = undefined;
  }

  /** Something was given back: whoever is first asks again. */
  stir(): void {
    this.wake?.();
  }
}
