/** Parts that come from callbacks, in the order in which they came, for a generator to yield. */
import type { AgentPart } from './agent.provider.js';

export class PartQueue {
  private readonly parts: AgentPart[] = [];
  private isNudged = false;
  private wake: (() => void) | undefined;

  push(part: AgentPart): void {
    this.parts.push(part);
    this.wake?.();
  }

  /** Makes the next `take` that finds no part answer at once. */
  nudge(): void {
    this.isNudged = true;
    this.wake?.();
  }

  /** The next part; undefined after a nudge, or when nothing came for `quietMs` milliseconds. */
  async take(quietMs?: number): Promise<AgentPart | undefined> {
    if (this.parts.length === 0 && !this.isNudged) await this.whenWoken(quietMs);
    const part = this.parts.shift();
    if (part === undefined) this.isNudged = false;
    return part;
  }

  private whenWoken(quietMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = quietMs === undefined ? undefined : setTimeout(resolve, quietMs);
      this.wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
