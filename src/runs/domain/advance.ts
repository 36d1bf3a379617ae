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
import type { BlobRef, Contents, Kept } from './kept.js';
import { keptIn, withReference } from './kept-in-events.js';
import { nextMove, type Starts } from './plan.js';
import type { Consequence, Resolution, RunCommand } from './run.commands.js';
import type { Move } from './run.effects.js';
import type { RunEvent } from './run.events.js';
import { liveUnit, takerOf, type RunState } from './run.state.js';
import type { Seen } from './seen.js';
import { lineageOf } from './sub-run.js';
import type { Unit } from './unit.js';

/** Evaluates what a move needs. Pure: it reads what is seen and the definition's compiled expressions only. */
export interface Evaluator {
  /** How a ready unit goes on. */
  resolve(seen: Seen, unit: Unit, now: number): Resolution;
  /** What follows from the output of a unit beyond itself; undefined when nothing does. */
  consequence(seen: Seen, unit: Unit, output: Kept, now: number): Consequence | undefined;
  /** The outcome of a unit from what it held. */
  close(seen: Seen, unit: Unit): Result<Kept>;
  /** The output of a run whose steps have all settled. */
  output(seen: Seen): Result<Json>;
}

export interface Advance {
  readonly events: readonly RunEvent[];
  /** Answer to each command that was decided, in order: undefined when it was taken. */
  readonly refusals: readonly (Failure | undefined)[];
  /** What has to be at hand for the turn to go on; none when it is done. */
  readonly missing: readonly BlobRef[];
  /** True when more moves follow at once: the turn was cut short so that one append stays small. */
  readonly isCut: boolean;
}

/** Where commands, moves and the evaluator meet. */
export interface TurnInput {
  readonly commands: readonly RunCommand[];
  readonly evaluator: Evaluator;
  readonly contents: Contents;
  /** Milliseconds since the epoch; the time of every move of this turn. */
  readonly now: number;
  /** What this process may start of the run; asked once, when the commands have been applied. */
  readonly starts: (state: RunState) => Starts;
  /** The id of the run that a lineage stands for, always the same (sub-run.ts): it is hashed outside. */
  readonly subRunId: (lineage: string) => string;
}

/** Past so many events a turn is cut: steps that need nothing outside could go on without end. */
const MAX_EVENTS = 1_000;

/** Past so many sub-runs, too: each has its definition in the append that creates it. */
const MAX_SUB_RUNS = 50;

/**
 * Advances a state that the caller owns, as far as what it reads is at hand. What is missing has changed nothing yet:
 * once it is there, the turn goes on with the commands that have no answer.
 */
export function advance(state: RunState, input: TurnInput): Advance {
  const { contents, now } = input;
  const events: RunEvent[] = [];
  const refusals: (Failure | undefined)[] = [];
  for (const command of input.commands) {
    const ready = evaluated(state, command, input);
    const missing = contents.takeMissing();
    if (missing.length > 0) return { events, refusals, missing, isCut: true };
    refusals.push(apply(state, ready, contents, events));
  }
  apply(state, { type: 'tick', at: now }, contents, events);
  const starts = input.starts(state);
  let move = nextMove(state, now, starts);
  for (let subRuns = 0; move !== undefined && events.length < MAX_EVENTS && subRuns < MAX_SUB_RUNS;) {
    const command = commandOf(state, move, input);
    const missing = contents.takeMissing();
    if (missing.length > 0) return { events, refusals, missing, isCut: true };
    apply(state, command, contents, events);
    if ('subRunId' in command) subRuns += 1;
    move = nextMove(state, now, starts);
  }
  return { events, refusals, missing: [], isCut: move !== undefined };
}

function apply(
  state: RunState,
  command: RunCommand,
  contents: Contents,
  events: RunEvent[],
): Failure | undefined {
  const decision = decide(state, command);
  if (!decision.ok) return decision.failure;
  for (const decided of decision.value) {
    const event = withReference(decided, contents, state.size);
    evolve(state, event);
    events.push(event);
  }
  return undefined;
}

/** A report with what follows from its output. */
function evaluated(state: RunState, command: RunCommand, input: TurnInput): RunCommand {
  const { contents, evaluator, now } = input;
  const reported = reportOf(state, command);
  if (reported === undefined) return command;
  const consequence = evaluator.consequence({ state, contents }, reported.unit, reported.output, now);
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
  const { evaluator, contents, now: at } = input;
  const seen = { state, contents };
  switch (move.kind) {
    case 'decide':
      readForParent(seen, move.command);
      return move.command;
    case 'resolve':
      return resolutionOf(state, move.unit, input);
    case 'restart':
      return restartOf(state, move.unit, input);
    case 'expire':
      return expiryOf(state, move.unit, input);
    case 'close': {
      const { unit } = move;
      const outcome = evaluator.close(seen, unit);
      const consequence = outcome.ok ? evaluator.consequence(seen, unit, outcome.value, at) : undefined;
      return { type: 'close', at, path: unit.path, outcome, ...(consequence && { consequence }) };
    }
    case 'finish': {
      const output = evaluator.output(seen);
      return output.ok
        ? { type: 'finish', at, output: output.value }
        : { type: 'finish-failed', at, failure: output.failure };
    }
  }
}

/** The output of a sub-run has to be at hand when its parent is told of it. */
function readForParent({ state, contents }: Seen, { type }: RunCommand): void {
  if (type === 'finish-ending' && state.ending !== undefined)
    contents.read(keptIn(state.ending, 'output') ?? null);
}

function resolutionOf(state: RunState, unit: Unit, input: TurnInput): RunCommand {
  const { evaluator, contents, now: at } = input;
  const seen = { state, contents };
  const resolution = evaluator.resolve(seen, unit, at);
  const command = { type: 'resolve', at, path: unit.path, resolution } as const;
  if (resolution.kind === 'delegate') return { ...command, subRunId: input.subRunId(lineageOf(state, unit)) };
  if (resolution.kind !== 'complete') return command;
  const consequence = evaluator.consequence(seen, unit, resolution.output, at);
  return consequence === undefined ? command : { ...command, consequence };
}

function restartOf(state: RunState, unit: Unit, { contents, now: at, subRunId }: TurnInput): RunCommand {
  const command = { type: 'restart', at, path: unit.path } as const;
  if (unit.step.work.kind !== 'workflow') return command;
  // The sub-run begins with the input itself, so it has to be at hand.
  if (unit.input !== undefined) contents.read(unit.input);
  return { ...command, subRunId: subRunId(lineageOf(state, unit)) };
}

function expiryOf(state: RunState, unit: Unit, { evaluator, contents, now: at }: TurnInput): RunCommand {
  const output = outputAtDeadline(unit, at);
  const seen = { state, contents };
  const consequence = output === undefined ? undefined : evaluator.consequence(seen, unit, output, at);
  return { type: 'expire', at, path: unit.path, ...(consequence && { consequence }) };
}

/** What a unit whose wait is over gives; undefined when it fails. */
function outputAtDeadline({ approval }: Unit, at: number): Json | undefined {
  if (approval === undefined) return null;
  const outcome = outcomeOfApproval(approval, endAtDeadline(approval), at);
  return outcome.ok ? outcome.value : undefined;
}
