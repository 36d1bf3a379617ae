/** Where slots come from: the engine of this process. */
export interface SlotSource {
  /** False when none is free. */
  takeSlot(isNested: boolean): boolean;
  giveSlot(): void;
}

/**
 * The execution slot of one run. A run that waits for sub-runs only gives it back and stays loaded; it takes it again
 * when it has to call somebody.
 */
export class ExecutionSlot {
  /** @param isNested whether it is taken though none is free: the run's parent waits for it with its own */
  constructor(
    private readonly source: SlotSource,
    private held: boolean,
    private readonly isNested: boolean,
  ) {}

  get isHeld(): boolean {
    return this.held;
  }

  /** Takes the slot unless it is held. False when none is free. */
  take(): boolean {
    this.held = this.held || this.source.takeSlot(this.isNested);
    return this.held;
  }

  /** Gives the slot back if it is held. */
  give(): void {
    if (!this.held) return;
    this.held = false;
    this.source.giveSlot();
  }
}
