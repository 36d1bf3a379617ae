/**
 * One turn of the engine, purely: decide the commands at hand, then every move that follows from them, until only
 * outcomes, timers and commands from outside are left. All events of a turn become true in one append.
 */
import type { Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import type { Result } from '../../kernel/result.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import { nextMove } from './plan.js';
import type { Resolution, RunCommand } from './run.commands.js';
import type { Move } from './run.effects.js';
import type { RunEvent } from './run.events.js';
import type { RunState, StepState } from './run.state.js';

/** Evaluates what a move needs. Pure: it reads the state and the definition's compiled expressions only. */
export interface Evaluator {
  /** Condition and input of a ready step. */
  resolve(state: RunState, step: StepState): Resolution;
  /** The output of a run whose steps have all settled. */
  output(state: RunState): Result<Json>;
}

export interface Advance {
  readonly events: readonly RunEvent[];
  /** Answer to each command, in order: undefined when it was taken. */
  readonly refusals: readonly (Failure | undefined)[];
}

/** Where commands, moves and the evaluator meet. */
export interface TurnInput {
  readonly commands: readonly RunCommand[];
  readonly evaluator: Evaluator;
  /** Milliseconds since the epoch; the time of every move of this turn. */
  readonly now: number;
  /** Whether this process may open attempts of the run; asked once, when the commands have been applied. */
  readonly mayStart: (state: RunState) => boolean;
}

/** Advances a state that the caller owns. */
export function advance(state: RunState, input: TurnInput): Advance {
  const events: RunEvent[] = [];
  const refusals = input.commands.map((command) => apply(state, command, events));
  apply(state, { type: 'tick', at: input.now }, events);
  const mayStart = input.mayStart(state);
  const next = (): Move | undefined => nextMove(state, input.now, mayStart);
  for (let move = next(); move !== undefined; move = next())
    apply(state, commandOf(state, move, input), events);
  return { events, refusals };
}

function apply(state: RunState, command: RunCommand, events: RunEvent[]): Failure | undefined {
  const decision = decide(state, command);
  if (!decision.ok) return decision.failure;
  for (const event of decision.value) {
    evolve(state, event);
    events.push(event);
  }
  return undefined;
}

function commandOf(state: RunState, move: Move, { evaluator, now: at }: TurnInput): RunCommand {
  switch (move.kind) {
    case 'decide':
      return move.command;
    case 'resolve': {
      const stepId = state.graph.steps[move.step.index]?.id ?? '';
      return { type: 'resolve', at, stepId, resolution: evaluator.resolve(state, move.step) };
    }
    case 'finish': {
      const output = evaluator.output(state);
      return output.ok
        ? { type: 'finish', at, output: output.value }
        : { type: 'finish-failed', at, failure: output.failure };
    }
  }
}
