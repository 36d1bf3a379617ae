/**
 * Units: everything of a run that has a status of its own.
 *
 * A unit is a step of a scope, an item of a step that maps over a list, or an iteration of a step that is repeated. A
 * unit either is carried out by attempts or holds units: items, iterations, or the scope of a loop's body. Decided
 * here: what is known of a unit. Decided elsewhere: when units are made and how they change (evolve.ts).
 */
import type { ToolCall } from '../../agents/domain/tool-call.js';
import type { Failure } from '../../kernel/failure.js';
import type { CompiledStep, Graph } from '../../workflows/domain/graph.js';
import type { JoinCounts } from '../../workflows/domain/join.js';
import type { AskedApproval } from './approval.js';
import type { Kept } from './kept.js';
import type { ArtifactRef, LoopNext, SkipReason, UnitWaiting, Usage } from './run.events.js';
import type { StepStatus } from './run.status.js';

/** What a unit is; also the first word of its events. */
export type UnitRole = 'step' | 'item' | 'iteration';

/** A recorded model turn or tool outcome. */
export interface RecordedTurn {
  readonly turn: number;
  readonly body: Kept;
  readonly tool?: ToolCall;
  readonly usage?: Usage;
  readonly costMicros?: number;
}

/** A wait, as long as it lasts. */
export interface Wait extends UnitWaiting {
  /** The sequence number of the event with which it began: tells one wait of a unit from the next. */
  readonly seq: number;
}

/** What is kept of a unit to the end of its run. */
export interface UnitRecord {
  readonly step: CompiledStep;
  readonly role: UnitRole;
  /** The place of a step in its scope, the number of an item or an iteration, from 0. */
  readonly number: number;
  /** Where it stands in its run: `parts[2]`, `polish[3]/check`. */
  readonly path: string;
  status: StepStatus;
  /** Number of the last attempt started; 0 before the first. */
  attempt: number;
  firstStartedAt?: number | undefined;
  endedAt?: number | undefined;
  /** The resolved input, from the first start on; of a unit that holds items their list. */
  input?: Kept | undefined;
  output?: Kept | undefined;
  artifacts?: readonly ArtifactRef[];
  failure?: Failure;
  usage: Usage;
  costMicros: number;
  /** The run that does the work of the last attempt. */
  subRunId?: string;
  /** Part of the stable key; a retry of the run raises it. Units that it comes to hold have it from the beginning. */
  generation: number;
  /** The units that it holds, from its start on. */
  held?: HeldRecord;
}

export interface Unit extends UnitRecord {
  held?: Held;
  /** The scope of its step. */
  readonly scope: Scope;
  /** The unit that holds this item or iteration; absent for a step. */
  readonly holder?: Unit | undefined;
  /** The completed unit that this one undoes. */
  readonly undoes?: Unit;
  /** How many layers of its step stand above it. */
  readonly depth: number;
  /** Attempts that ended in a failure; interrupted ones do not count. */
  failures: number;
  /** Dependencies that have not settled yet. */
  unsettled: number;
  /** How the settled dependencies ended. */
  readonly settled: { -readonly [K in keyof JoinCounts]: JoinCounts[K] };
  /** Why the step will be skipped, decided by its join. */
  skipReason?: SkipReason;
  startedAt?: number | undefined;
  /** When the next attempt may start, while `retrying`; when the wait is over, while `waiting`. */
  dueAt?: number;
  /** The wait that the unit is in, only while `waiting`. */
  wait?: Wait;
  /** The approval that it waits for, only while `waiting`. */
  approval?: { readonly id: string } & AskedApproval;
  /** Whether a failure of the unit lets what is around it go on. */
  isHandled: boolean;
  readonly turns: RecordedTurn[];
  /** Whether a turn was recorded since the last interruption. */
  hasProgressed: boolean;
  /** Of a unit that starts again and goes on with what it held: how. */
  reopening?: Reopening;
}

/** How a unit that starts again goes on with the units that it held. */
export interface Reopening {
  /** That of units which run again. */
  readonly generation: number;
  /** Paths of units that run again although they have ended well. */
  readonly from: readonly string[];
  /** Whether what was under way goes on with the input that it had and the turns that it has recorded. */
  readonly takesUp: boolean;
  /** Whether the unit had failed: then what failed in it runs again, tolerated or not. */
  readonly hadFailed: boolean;
}

/** What is kept of a scope whose iteration has ended. */
export interface ScopeRecord {
  readonly graph: Graph;
  /** In the order of the definition. */
  readonly units: readonly UnitRecord[];
}

/** One set of steps that run by their dependencies: the run's own, or those of one iteration of a loop. */
export interface Scope extends ScopeRecord {
  readonly units: readonly Unit[];
  /** The iteration whose body it is; absent for the run's own. */
  readonly holder?: Unit;
  readonly counts: ScopeCounts;
  /** A failure in it that nothing handles. */
  fatal?: Failure;
}

/** Steps of a scope that have ended, by how. */
export interface ScopeCounts {
  completed: number;
  failed: number;
  skipped: number;
  cancelled: number;
}

export type Held = HeldItems | HeldIterations | HeldBody;

export type HeldRecord = HeldItems | HeldIterations | { readonly kind: 'body'; readonly scope: ScopeRecord };

/** Items are made when they are about to start, and kept as records when they have ended. */
export interface HeldItems {
  readonly kind: 'items';
  readonly total: number;
  /** Items that are ready or under way, by number. */
  readonly live: Map<number, Unit>;
  /** Items that have ended, by number. */
  readonly ended: Map<number, UnitRecord>;
  /** Items made so far; the next one has this number. */
  made: number;
  /** The item that was made last. */
  newest?: Unit;
  /** Items that run again, by number; they come before those that have never been made. */
  readonly again: Map<number, Unit>;
  /** Numbers of failed items, in the order in which they failed. */
  readonly failed: number[];
}

/** Iterations come one after the other; those that have ended are kept as records. */
export interface HeldIterations {
  readonly kind: 'iterations';
  /** The iteration that is ready or under way. */
  live?: Unit;
  readonly ended: UnitRecord[];
  /** How the step goes on after its last iteration, once that has completed. */
  next?: LoopNext;
}

/** The body of a loop in one iteration. */
export interface HeldBody {
  readonly kind: 'body';
  readonly scope: Scope;
}

/** What a unit has used before it has used anything. */
const NO_USAGE: Usage = {};

/** What a unit holds once it has started; undefined when it is carried out itself. */
export function holdingOf({ step, depth }: Pick<Unit, 'step' | 'depth'>): Held['kind'] | undefined {
  return step.layers[depth] ?? (step.work.kind === 'loop' ? 'body' : undefined);
}

/** Whether a unit that is ready starts as it is: nothing of it has to be evaluated again. */
export function canRestart({ input, reopening }: Unit): boolean {
  return input !== undefined || reopening !== undefined;
}

/** The unit around another: the holder of an item or iteration, the iteration of a body. */
export function around(unit: Unit): Unit | undefined {
  return unit.holder ?? unit.scope.holder;
}

/** True when `unit` is `other` or stands inside it. */
export function isWithin(unit: Unit, other: Unit): boolean {
  for (let at: Unit | undefined = unit; at !== undefined; at = around(at)) if (at === other) return true;
  return false;
}

/** Whether one unit stands before another. */
export function isBefore(a: Unit, b: Unit): boolean {
  return compareUnits(a, b) < 0;
}

/** Sorts units by their place in the run: as the definition has them, then by item and iteration, the outer first. */
export function compareUnits(a: Unit, b: Unit): number {
  if (around(a) === around(b)) return a.number - b.number;
  const [placesOfA, placesOfB] = [placesOf(a), placesOf(b)];
  for (const [level, place] of placesOfA.entries()) {
    const difference = place - (placesOfB[level] ?? -1);
    if (difference !== 0) return difference;
  }
  return placesOfA.length - placesOfB.length;
}

/** The numbers of the units around a unit and its own, from the outside in. */
function placesOf(unit: Unit): readonly number[] {
  const places: number[] = [];
  for (let at: Unit | undefined = unit; at !== undefined; at = around(at)) places.push(at.number);
  return places.toReversed();
}

/** A scope with nothing done yet. */
export function newScope(graph: Graph, holder?: Unit): Scope {
  const generation = holder?.generation ?? 1;
  const units: Unit[] = [];
  const counts = { completed: 0, failed: 0, skipped: 0, cancelled: 0 };
  const scope: Scope = holder === undefined ? { graph, units, counts } : { graph, units, counts, holder };
  const prefix = holder === undefined ? '' : `${holder.path}/`;
  for (const step of graph.steps) {
    const path = `${prefix}${step.id}`;
    units.push(newUnit({ role: 'step', step, number: step.index, path, scope, depth: 0, generation }));
  }
  return scope;
}

/** An item or iteration of a unit, with nothing done yet. */
export function newHeldUnit(holder: Unit, role: 'item' | 'iteration', number: number): Unit {
  const { step, scope, depth, generation } = holder;
  const path = `${holder.path}[${number}]`;
  return newUnit({ role, step, number, path, scope, holder, depth: depth + 1, generation });
}

type UnitPlace = Pick<
  Unit,
  'step' | 'role' | 'number' | 'path' | 'scope' | 'holder' | 'depth' | 'generation'
>;

/** What nearly every unit comes to have has its place from the beginning: enlarging thousands of units is dear. */
function newUnit({ step, role, number, path, scope, holder, depth, generation }: UnitPlace): Unit {
  const total = role === 'step' ? step.dependencies.length : 0;
  return {
    step,
    role,
    number,
    path,
    status: 'pending',
    attempt: 0,
    firstStartedAt: undefined,
    endedAt: undefined,
    input: undefined,
    output: undefined,
    usage: NO_USAGE,
    costMicros: 0,
    scope,
    holder,
    depth,
    generation,
    failures: 0,
    unsettled: total,
    settled: { total, completed: 0, handledFailures: 0, failed: 0, skipped: 0, cancelled: 0 },
    startedAt: undefined,
    isHandled: false,
    turns: [],
    hasProgressed: false,
  };
}

/** What the path of a unit that undoes another ends with. */
export const COMPENSATE = '~compensate';

/** The unit that undoes a completed one, with nothing done yet. */
export function newCompensation(undoes: Unit, step: CompiledStep): Unit {
  const path = `${undoes.path}${COMPENSATE}`;
  const { number, scope, generation } = undoes;
  const unit = newUnit({ role: 'step', step, number, path, scope, holder: undefined, depth: 0, generation });
  return { ...unit, undoes };
}

/** What is kept of a unit that has ended and that nothing reads any more. The log has the rest. */
export function recordOf(unit: Unit): UnitRecord {
  const { step, role, number, path, status, attempt, usage, costMicros, generation, held } = unit;
  const { firstStartedAt, endedAt, input, output, artifacts, failure, subRunId } = unit;
  return {
    step,
    role,
    number,
    path,
    status,
    attempt,
    usage,
    costMicros,
    generation,
    ...(firstStartedAt !== undefined && { firstStartedAt }),
    ...(endedAt !== undefined && { endedAt }),
    // a retry may go on with what has not completed, and with single items
    ...((status !== 'completed' || held?.kind === 'items') && input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(artifacts !== undefined && { artifacts }),
    ...(failure !== undefined && { failure }),
    ...(subRunId !== undefined && { subRunId }),
    ...(held !== undefined && { held: recordOfHeld(held) }),
  };
}

function recordOfHeld(held: Held): HeldRecord {
  if (held.kind !== 'body') return held;
  const { graph, units } = held.scope;
  return { kind: 'body', scope: { graph, units: units.map(recordOf) } };
}

/** Finds a unit by its path, in time that grows with its depth only. */
export function findUnit(root: ScopeRecord, path: string): UnitRecord | undefined {
  const known = root.graph.indexOf.get(path);
  if (known !== undefined) return root.units[known];
  const place = /^(?:([A-Za-z][A-Za-z0-9_-]*)|\[(\d+)\])(\/?)/;
  let scope: ScopeRecord | undefined = root;
  let found: UnitRecord | undefined;
  for (let rest = path; rest !== '';) {
    const match = place.exec(rest);
    if (match === null) return undefined;
    const [whole, id, number, slash] = match;
    found = id === undefined ? heldAt(found?.held, Number(number)) : stepIn(scope, id);
    if (found === undefined) return undefined;
    scope = slash === '' ? undefined : scopeIn(found.held);
    rest = rest.slice(whole.length);
    if (rest === '' && slash !== '') return undefined;
  }
  return found;
}

function stepIn(scope: ScopeRecord | undefined, id: string): UnitRecord | undefined {
  return scope?.units[scope.graph.indexOf.get(id) ?? -1];
}

function heldAt(held: HeldRecord | undefined, number: number): UnitRecord | undefined {
  if (held?.kind === 'items')
    return held.live.get(number) ?? held.ended.get(number) ?? held.again.get(number);
  if (held?.kind !== 'iterations') return undefined;
  return held.live?.number === number ? held.live : held.ended[number];
}

function scopeIn(held: HeldRecord | undefined): ScopeRecord | undefined {
  return held?.kind === 'body' ? held.scope : undefined;
}
