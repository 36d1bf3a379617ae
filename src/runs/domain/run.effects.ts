/**
 * What should be under way now, derived from the state and never stored.
 *
 * A *move* is answered by a command within the same append; an *invocation* is carried out after it is durable.
 */
import type { RunCommand } from './run.commands.js';
import type { StepState } from './run.state.js';

export type Move =
  /** Nothing outside is needed: decide this command. */
  | { readonly kind: 'decide'; readonly command: RunCommand }
  /** Evaluate the step's condition and input, then decide `resolve`. */
  | { readonly kind: 'resolve'; readonly step: StepState }
  /** Evaluate the run's output, then decide `finish`. */
  | { readonly kind: 'finish' };

/** Call the agent of a step for its open attempt. */
export interface Invocation {
  readonly stepId: string;
  readonly attempt: number;
  readonly step: StepState;
}
