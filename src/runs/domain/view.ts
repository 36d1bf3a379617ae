/** A run and its steps as the API shows them. Pure: state in, plain records out. */
import type { Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { usdFromMicros } from '../../kernel/money.js';
import { isoOf } from '../../kernel/time.js';
import { referenceOf, type PinnedReference } from '../../templates/domain/pinned.js';
import type { StepKind } from '../../workflows/domain/kinds/step-kinds.js';
import { BlobRef, type BlobReference, type Kept } from './kept.js';
import type { ArtifactRef, RunManifest, RunParent, SkipReason, Usage } from './run.events.js';
import { settledCount, type ForkOrigin, type RunState } from './run.state.js';
import { isSettled, isTerminal, type RunStatus, type StepStatus } from './run.status.js';
import { findUnit, type HeldRecord, type Unit, type UnitRecord } from './unit.js';

export interface RunProgress {
  /** Steps that have ended, however. */
  readonly completed: number;
  readonly total: number;
  /** 0 to 100, rounded down. */
  readonly percent: number;
}

/** A run. Instants are ISO 8601 UTC. `V` says whether large values are in it or references to them. */
export interface RunView<V extends Kept = Json> {
  readonly id: string;
  readonly namespace: string;
  readonly name?: string;
  readonly status: RunStatus;
  readonly workflow?: { readonly id: string; readonly version: number };
  /** The run whose step it is the work of. */
  readonly parent?: ParentView;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly progress: RunProgress;
  readonly input: Json;
  readonly context: JsonObject;
  readonly output?: V;
  readonly failure?: Failure;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly tags: readonly string[];
  readonly priority: number;
  /** Of a fork: the run that it was forked from, and what is different. */
  readonly forkedFrom?: ForkOrigin;
  /** How often it was retried; absent where it was not. */
  readonly retries?: number;
  readonly manifest: ManifestView;
  /** Sequence number of the last event: what a follower has seen of the run as it is here. */
  readonly lastSeq: number;
  readonly links: RunLinks;
}

/** Where a run and what belongs to it are read. */
export interface RunLinks {
  readonly self: string;
  readonly steps: string;
  readonly events: string;
  /** The run whose step it is the work of. */
  readonly parent?: string;
}

/** The run whose step a run is the work of. */
export type ParentView = Omit<RunParent, 'wait'>;

/** The run that does the work of a step. */
export interface SubRunView {
  readonly id: string;
  readonly href: string;
}

/** What a run resolved; of templates and workflows only which they are. */
export interface ManifestView extends Omit<RunManifest, 'templates' | 'definitions'> {
  readonly templates?: { readonly [stepId: string]: PinnedReference };
}

/** A file that a step made, and where it is read. */
export interface ArtifactView {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly href: string;
}

/** What a step holds: items, iterations, or the steps of its body. */
export interface HeldView {
  readonly kind: HeldRecord['kind'];
  /** How many there are; of iterations those that have begun. */
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** Paths of those under way, in order; at most 100. */
  readonly open: readonly string[];
}

/** A value of a step that is not in a list of steps, and where it is read. */
export interface BlobView extends BlobReference {
  readonly href: string;
}

/** One step of a run, or one item or iteration of a step. `V` as of a run. */
export interface StepView<V extends Kept = Json> {
  readonly id: string;
  readonly path: string;
  readonly kind: StepKind;
  /** The agent that it calls, where it calls one. */
  readonly agent?: string;
  readonly status: StepStatus;
  readonly dependsOn: readonly string[];
  /** Attempts started. */
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When the next attempt starts, while `retrying`. */
  readonly retryAt?: string;
  /** When it stops to wait by itself, while `waiting`. */
  readonly waitsUntil?: string;
  readonly input?: V;
  /** In its place in a list of steps, where it is large. */
  readonly inputRef?: BlobView;
  readonly output?: V;
  /** In its place in a list of steps, where it is large. */
  readonly outputRef?: BlobView;
  readonly artifacts?: readonly ArtifactView[];
  readonly failure?: Failure;
  /** What it holds, once it has started. */
  readonly holds?: HeldView;
  /** The run that does or did the work of the last attempt, where that is a run of its own. */
  readonly subRun?: SubRunView;
  readonly skipReason?: SkipReason;
  readonly usage: Usage;
  readonly costUsd: number;
}

/** Progress of a run by its steps. */
export function progressOf(completed: number, total: number): RunProgress {
  return { completed, total, percent: total === 0 ? 100 : Math.floor((100 * completed) / total) };
}

/** Where a run and its parts are read. */
export function linksOf(runId: string, parentId?: string): RunLinks {
  const self = hrefOf(runId);
  const links = { self, steps: `${self}/steps`, events: `${self}/events` };
  return parentId === undefined ? links : { ...links, parent: hrefOf(parentId) };
}

function hrefOf(runId: string): string {
  return `/api/v1/runs/${runId}`;
}

/** A run as the API shows it. */
export function viewOfRun(namespace: string, state: RunState): RunView<Kept> {
  const { queued, runId: id } = state;
  const { definition, manifest, options, parent } = queued;
  return {
    id,
    namespace,
    ...present('name', definition.name),
    status: state.status,
    ...present('workflow', manifest.workflow),
    ...present('parent', parent && viewOfParent(parent)),
    createdAt: isoOf(state.createdAt),
    ...present('startedAt', state.startedAt === undefined ? undefined : isoOf(state.startedAt)),
    ...present('endedAt', state.endedAt === undefined ? undefined : isoOf(state.endedAt)),
    progress: progressOf(settledCount(state.root), state.root.units.length),
    input: queued.input,
    context: state.context,
    ...present('output', state.output),
    ...present('failure', state.failure),
    usage: state.usage,
    costUsd: usdFromMicros(state.costMicros),
    tags: options.tags,
    priority: options.priority,
    ...present('forkedFrom', state.forkedFrom),
    ...present('retries', state.retries === 0 ? undefined : state.retries),
    manifest: viewOfManifest(manifest),
    lastSeq: state.lastSeq,
    links: linksOf(id, parent?.runId),
  };
}

function viewOfParent({ runId, path, depth }: RunParent): ParentView {
  return { runId, path, depth };
}

/** A run that has given nothing yet. */
export function viewOfNewRun(namespace: string, state: RunState): RunView {
  const { output: _, ...view } = viewOfRun(namespace, state);
  return view;
}

/** What a run resolved, without the texts of its templates. */
export function viewOfManifest({ templates, definitions: _, ...manifest }: RunManifest): ManifestView {
  if (templates === undefined) return manifest;
  const references = Object.entries(templates).map(
    ([stepId, template]) => [stepId, referenceOf(template)] as const,
  );
  return { ...manifest, templates: Object.fromEntries(references) };
}

/** How many paths of units under way a view lists. */
const MAX_LISTED = 100;

/** A unit as the API shows it. What a run that has ended left undone shows as cancelled. */
export function viewOfStep(state: RunState, unit: UnitRecord): StepView<Kept> {
  const { step, path, held, subRunId } = unit;
  const { skipReason } = unit as Partial<Pick<Unit, 'skipReason'>>;
  return {
    id: step.id,
    path,
    kind: step.work.kind,
    ...present('agent', step.work.kind === 'agent' ? step.work.agentKey : undefined),
    status: isTerminal(state.status) && !isSettled(unit.status) ? 'cancelled' : unit.status,
    dependsOn: unit.role === 'step' ? dependenciesOf(state, unit) : [],
    attempts: unit.attempt,
    ...timesOf(unit),
    ...present('input', unit.input),
    ...present('output', unit.output),
    ...present(
      'artifacts',
      unit.artifacts?.map((artifact) => viewOfArtifact(state.runId, artifact)),
    ),
    ...present('failure', unit.failure),
    ...present('holds', held === undefined ? undefined : viewOfHeld(held)),
    ...present('subRun', subRunId === undefined ? undefined : { id: subRunId, href: hrefOf(subRunId) }),
    ...present('skipReason', unit.status === 'skipped' ? skipReason : undefined),
    usage: unit.usage,
    costUsd: usdFromMicros(unit.costMicros),
  };
}

/** The step with references, where they are read, in place of the values that are not at hand. */
export function referringStep(runId: string, { input, output, ...step }: StepView<Kept>): StepView {
  return { ...step, ...valueOrRef(runId, 'input', input), ...valueOrRef(runId, 'output', output) };
}

function valueOrRef(runId: string, field: 'input' | 'output', kept: Kept | undefined): Partial<StepView> {
  if (kept === undefined) return {};
  if (!BlobRef.is(kept)) return { [field]: kept };
  const { hash, bytes } = kept;
  return { [`${field}Ref`]: { hash, bytes, href: `/api/v1/runs/${runId}/blobs/${hash}` } };
}

function timesOf(unit: UnitRecord): Pick<StepView, 'startedAt' | 'endedAt' | 'retryAt' | 'waitsUntil'> {
  const { status, firstStartedAt, endedAt, dueAt } = unit as Unit;
  const due = dueAt === undefined ? undefined : isoOf(dueAt);
  return {
    ...present('startedAt', firstStartedAt === undefined ? undefined : isoOf(firstStartedAt)),
    ...present('endedAt', endedAt === undefined ? undefined : isoOf(endedAt)),
    ...present('retryAt', status === 'retrying' ? due : undefined),
    ...present('waitsUntil', status === 'waiting' ? due : undefined),
  };
}

/** Ids of the steps that a step waits for. */
function dependenciesOf(state: RunState, { step, path }: UnitRecord): readonly string[] {
  const slash = path.lastIndexOf('/');
  const outer = slash === -1 ? undefined : findUnit(state.root, path.slice(0, slash));
  const scope = outer?.held?.kind === 'body' ? outer.held.scope : state.root;
  return step.dependencies.map((index) => scope.graph.steps[index]?.id ?? '');
}

function viewOfHeld(held: HeldRecord): HeldView {
  const { kind } = held;
  switch (kind) {
    case 'items':
      return { kind, total: held.total, ...countsOf([...held.live.values(), ...held.ended.values()]) };
    case 'iterations': {
      const units = held.live === undefined ? held.ended : [...held.ended, held.live];
      return { kind, total: units.length, ...countsOf(units) };
    }
    case 'body':
      return { kind, total: held.scope.units.length, ...countsOf(held.scope.units) };
  }
}

function countsOf(units: readonly UnitRecord[]): Pick<HeldView, 'completed' | 'failed' | 'open'> {
  const open = units.filter(({ status }) => status !== 'pending' && !isSettled(status));
  return {
    completed: units.filter(({ status }) => status === 'completed').length,
    failed: units.filter(({ status }) => status === 'failed').length,
    open: open.slice(0, MAX_LISTED).map(({ path }) => path),
  };
}

function viewOfArtifact(runId: string, { name, mediaType, bytes }: ArtifactRef): ArtifactView {
  return { name, mediaType, bytes, href: `/api/v1/runs/${runId}/artifacts/${name}` };
}

function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });
}
