/**
 * What should be under way now, derived from the state and never stored.
 *
 * A *move* is answered by a command within the same append; an *invocation* is carried out after it is durable.
 */
import type { RunCommand } from './run.commands.js';
import type { Unit } from './unit.js';

export type Move =
  /** Nothing outside is needed: decide this command. */
  | { readonly kind: 'decide'; readonly command: RunCommand }
  /** Evaluate the unit's condition and what it does, then decide `resolve`. */
  | { readonly kind: 'resolve'; readonly unit: Unit }
  /** The input is known: decide `restart`. */
  | { readonly kind: 'restart'; readonly unit: Unit }
  /** A wait is over: evaluate what follows, then decide `expire`. */
  | { readonly kind: 'expire'; readonly unit: Unit }
  /** Evaluate the outcome of what a unit holds, then decide `close`. */
  | { readonly kind: 'close'; readonly unit: Unit }
  /** Evaluate the run's output, then decide `finish`. */
  | { readonly kind: 'finish' };

/** Call the agent of a unit for its open attempt. */
export interface Invocation {
  readonly path: string;
  readonly attempt: number;
  readonly unit: Unit;
}
