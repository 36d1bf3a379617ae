/**
 * Hints that some process should look at a run, and notes to those who have to do with it. Never truth: each may be
 * lost, doubled or late. The sweeper finds a run in SQL all the same, and an owner its mail with its next renewal.
 */
import type { Failure } from '../kernel/failure.js';

export interface RunHint {
  readonly runId: string;
  /** 0 to 100, higher first. */
  readonly priority: number;
}

export type RunNote =
  /** Something has come into the inbox of a run: its owner reads it now. */
  | { readonly kind: 'mail'; readonly runId: string }
  /** A run has refused a command: whoever sent it hears why. */
  | { readonly kind: 'refused'; readonly commandId: string; readonly failure: Failure };

/** A process that looks at runs. */
export interface HintTaker {
  /** Whether it could take a run now. Hints go to those that can. */
  isOpen(): boolean;
  /** Looks at a run. The next hint comes when this has settled. */
  take(hint: RunHint): void | Promise<void>;
  /** Hints may have been lost: it looks for itself. Repeated, every second or so, for as long as they may be. */
  missed(): void;
  /** Every process hears every note of another one. */
  hear(note: RunNote): void;
}

export interface HintSubscription {
  /** The taker may be open again: it is asked. */
  resume(): void;
  /** Brings nothing more. Safe to call twice. */
  stop(): void;
}

export abstract class RunQueue {
  /**
   * Sends a hint. Never throws, never blocks an answer, never calls a taker before it returns. Hints of a run that
   * wait together may become one.
   */
  abstract hint(hint: RunHint): void;

  /** Tells the other processes. Never throws, never blocks, and is dropped where there are none. */
  abstract note(note: RunNote): void;

  /**
   * Brings each hint to one taker that is open, highest priority first of those waiting; while none is, they wait. One
   * that reaches a taker which has just closed goes back, to somebody else.
   */
  abstract consume(taker: HintTaker): HintSubscription;
}
