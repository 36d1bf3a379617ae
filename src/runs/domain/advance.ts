/**
 * One turn of the engine, purely: decide the commands at hand, then every move that follows from them, until only
 * outcomes, timers and commands from outside are left. All events of a turn become true in one append.
 */
import type { Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import type { Result } from '../../kernel/result.js';
import { endAtDeadline, outcomeOfApproval } from './approval.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import { nextMove, type Starts } from './plan.js';
import type { Consequence, Resolution, RunCommand } from './run.commands.js';
import type { Move } from './run.effects.js';
import type { RunEvent } from './run.events.js';
import { liveUnit, takerOf, type RunState } from './run.state.js';
import { lineageOf } from './sub-run.js';
import type { Unit } from './unit.js';

/** Evaluates what a move needs. Pure: it reads the state and the definition's compiled expressions only. */
export interface Evaluator {
  /** How a ready unit goes on. */
  resolve(state: RunState, unit: Unit, now: number): Resolution;
  /** What follows from the output of a unit beyond itself; undefined when nothing does. */
  consequence(state: RunState, unit: Unit, output: Json, now: number): Consequence | undefined;
  /** The outcome of a unit from what it held. */
  close(state: RunState, unit: Unit): Result<Json>;
  /** The output of a run whose steps have all settled. */
  output(state: RunState): Result<Json>;
}

export interface Advance {
  readonly events: readonly RunEvent[];
  /** Answer to each command, in order: undefined when it was taken. */
  readonly refusals: readonly (Failure | undefined)[];
  /** True when more moves follow at once: the turn was cut short so that one append stays small. */
  readonly isCut: boolean;
}

/** Where commands, moves and the evaluator meet. */
export interface TurnInput {
  readonly commands: readonly RunCommand[];
  readonly evaluator: Evaluator;
  /** Milliseconds since the epoch; the time of every move of this turn. */
  readonly now: number;
  /** What this process may start of the run; asked once, when the commands have been applied. */
  readonly starts: (state: RunState) => Starts;
  /** The id of the run that a lineage stands for, always the same (sub-run.ts): it is hashed outside. */
  readonly subRunId: (lineage: string) => string;
}

/** Past so many events a turn is cut: steps that need nothing outside could go on without end. */
const MAX_EVENTS = 1_000;

/** Advances a state that the caller owns. */
export function advance(state: RunState, input: TurnInput): Advance {
  const events: RunEvent[] = [];
  const refusals = input.commands.map((command) => apply(state, evaluated(state, command, input), events));
  apply(state, { type: 'tick', at: input.now }, events);
  const starts = input.starts(state);
  let move = nextMove(state, input.now, starts);
  while (move !== undefined && events.length < MAX_EVENTS) {
    apply(state, commandOf(state, move, input), events);
    move = nextMove(state, input.now, starts);
  }
  return { events, refusals, isCut: move !== undefined };
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

/** A report with what follows from its output. */
function evaluated(state: RunState, command: RunCommand, input: TurnInput): RunCommand {
  const reported = reportOf(state, command);
  if (reported === undefined) return command;
  const consequence = input.evaluator.consequence(state, reported.unit, reported.output, input.now);
  return consequence === undefined ? command : ({ ...command, consequence } as RunCommand);
}

/** The unit that a command gives an output to; undefined when it gives none. */
function reportOf(
  state: RunState,
  command: RunCommand,
): { readonly unit: Unit; readonly output: Json } | undefined {
  switch (command.type) {
    case 'complete':
      return withUnit(liveUnit(state, command.path), command.output);
    case 'deliver':
      return command.outcome.status === 'completed'
        ? withUnit(liveUnit(state, command.path), command.outcome.output)
        : undefined;
    case 'answer': {
      const unit = liveUnit(state, command.path);
      const outcome = unit?.approval && outcomeOfApproval(unit.approval, command, command.at);
      return outcome?.ok === true ? withUnit(unit, outcome.value) : undefined;
    }
    case 'signal':
      return withUnit(takerOf(state, command.name), command.data);
    default:
      return undefined;
  }
}

function withUnit(
  unit: Unit | undefined,
  output: Json,
): { readonly unit: Unit; readonly output: Json } | undefined {
  return unit === undefined ? undefined : { unit, output };
}

function commandOf(state: RunState, move: Move, input: TurnInput): RunCommand {
  const { evaluator, now: at } = input;
  switch (move.kind) {
    case 'decide':
      return move.command;
    case 'resolve':
      return resolutionOf(state, move.unit, input);
    case 'restart':
      return restartOf(state, move.unit, input);
    case 'expire':
      return expiryOf(state, move.unit, input);
    case 'close': {
      const { unit } = move;
      const outcome = evaluator.close(state, unit);
      const consequence = outcome.ok ? evaluator.consequence(state, unit, outcome.value, at) : undefined;
      return { type: 'close', at, path: unit.path, outcome, ...(consequence && { consequence }) };
    }
    case 'finish': {
      const output = evaluator.output(state);
      return output.ok
        ? { type: 'finish', at, output: output.value }
        : { type: 'finish-failed', at, failure: output.failure };
    }
  }
}

function resolutionOf(state: RunState, unit: Unit, input: TurnInput): RunCommand {
  const { evaluator, now: at } = input;
  const resolution = evaluator.resolve(state, unit, at);
  const command = { type: 'resolve', at, path: unit.path, resolution } as const;
  if (resolution.kind === 'delegate') return { ...command, subRunId: input.subRunId(lineageOf(state, unit)) };
  if (resolution.kind !== 'complete') return command;
  const consequence = evaluator.consequence(state, unit, resolution.output, at);
  return consequence === undefined ? command : { ...command, consequence };
}

function restartOf(state: RunState, unit: Unit, { now: at, subRunId }: TurnInput): RunCommand {
  const command = { type: 'restart', at, path: unit.path } as const;
  if (unit.step.work.kind !== 'workflow') return command;
  return { ...command, subRunId: subRunId(lineageOf(state, unit)) };
}

function expiryOf(state: RunState, unit: Unit, { evaluator, now: at }: TurnInput): RunCommand {
  const output = outputAtDeadline(unit, at);
  const consequence = output === undefined ? undefined : evaluator.consequence(state, unit, output, at);
  return { type: 'expire', at, path: unit.path, ...(consequence && { consequence }) };
}

/** What a unit whose wait is over gives; undefined when it fails. */
function outputAtDeadline({ approval }: Unit, at: number): Json | undefined {
  if (approval === undefined) return null;
  const outcome = outcomeOfApproval(approval, endAtDeadline(approval), at);
  return outcome.ok ? outcome.value : undefined;
}
