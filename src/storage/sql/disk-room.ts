import { AppError } from '../../kernel/failure.js';

/** Whether the disk of the record had room for what was written to it: what the last writes have come to. */
export class DiskRoom {
  private isGone = false;
  private refusedAt = -Infinity;

  /** @param monotonic milliseconds of monotonic time */
  constructor(private readonly monotonic: () => number) {}

  /** True from the first write that found no room on, until `found` is called. */
  get isShort(): boolean {
    return this.isGone;
  }

  /** How long ago a write has found no room last, in milliseconds. */
  get refusedForMs(): number {
    return this.monotonic() - this.refusedAt;
  }

  /** Takes note of why a write was refused. */
  note(error: unknown): void {
    if (!AppError.is(error) || error.failure.code !== 'store.full') return;
    this.isGone = true;
    this.refusedAt = this.monotonic();
  }

  /** There is room again. */
  found(): void {
    this.isGone = false;
  }
}
