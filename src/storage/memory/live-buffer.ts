import type { FeedItem } from '../../runs/run.feed.js';

/** How much a follower may fall behind before it is served from the record. */
export interface LiveLimits {
  readonly maxItems: number;
  /** Of event and delta text, in UTF-16 units. */
  readonly maxChars: number;
}

/** What was published and one follower has not taken yet. Bounded: past a limit it forgets all and remembers that. */
export class LiveBuffer {
  private items: FeedItem[] = [];
  private chars = 0;
  private hasOverflowed = false;
  private wake: (() => void) | undefined;

  /** @param reachedSeq the number up to which its follower has all, or will have without being told of more */
  constructor(
    readonly wantsDeltas: boolean,
    private readonly limits: LiveLimits,
    private reachedSeq = 0,
  ) {}

  get reached(): number {
    return this.reachedSeq;
  }

  /** Its follower has all up to this number from elsewhere. */
  hasReached(seq: number): void {
    this.reachedSeq = Math.max(this.reachedSeq, seq);
  }

  push(item: FeedItem): void {
    if (item.kind === 'event') this.hasReached(item.event.event.seq);
    if (this.hasOverflowed) return;
    this.items.push(item);
    this.chars += charsOf(item);
    if (this.items.length > this.limits.maxItems || this.chars > this.limits.maxChars) this.overflow();
    this.notify();
  }

  /** The log has come this far without a word of it: where the follower has less, it is served from the record. */
  tell(lastSeq: number): void {
    if (lastSeq <= this.reachedSeq) return;
    this.hasReached(lastSeq);
    this.overflow();
    this.notify();
  }

  /** All there is, or undefined when something was forgotten since the last call. */
  take(): readonly FeedItem[] | undefined {
    const taken = this.hasOverflowed ? undefined : this.items;
    this.items = [];
    this.chars = 0;
    this.hasOverflowed = false;
    return taken;
  }

  /** Resolves at the next `push` or `notify`. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  notify(): void {
    this.wake?.();
    this.wake = undefined;
  }

  private overflow(): void {
    this.items = [];
    this.chars = 0;
    this.hasOverflowed = true;
  }
}

function charsOf(item: FeedItem): number {
  if (item.kind === 'event') return item.event.text.length;
  const { text = '', message = '' } = item.delta.data;
  return text.length + message.length;
}
