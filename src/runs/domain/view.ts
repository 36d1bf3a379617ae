/** A run and its steps as the API shows them. Pure: state in, plain records out. */
import type { Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { usdFromMicros } from '../../kernel/money.js';
import { isoOf } from '../../kernel/time.js';
import { referenceOf, type PinnedReference } from '../../templates/domain/pinned.js';
import type { ArtifactRef, RunManifest, SkipReason, Usage } from './run.events.js';
import { settledCount, type RunState, type StepState } from './run.state.js';
import { isSettled, isTerminal, type RunStatus, type StepStatus } from './run.status.js';

export interface RunProgress {
  /** Steps that have ended, however. */
  readonly completed: number;
  readonly total: number;
  /** 0 to 100, rounded down. */
  readonly percent: number;
}

/** A run. Instants are ISO 8601 UTC. */
export interface RunView {
  readonly id: string;
  readonly namespace: string;
  readonly name?: string;
  readonly status: RunStatus;
  readonly workflow?: { readonly id: string; readonly version: number };
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly progress: RunProgress;
  readonly input: Json;
  readonly context: JsonObject;
  readonly output?: Json;
  readonly failure?: Failure;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly tags: readonly string[];
  readonly priority: number;
  readonly manifest: ManifestView;
  /** Sequence number of the last event: what a follower has seen of the run as it is here. */
  readonly lastSeq: number;
  readonly links: { readonly self: string; readonly steps: string; readonly events: string };
}

/** What a run resolved; of templates only which they are, by the id of the step. */
export interface ManifestView extends Omit<RunManifest, 'templates'> {
  readonly templates?: { readonly [stepId: string]: PinnedReference };
}

/** A file that a step made, and where it is read. */
export interface ArtifactView {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly href: string;
}

/** One step of a run. */
export interface StepView {
  readonly id: string;
  readonly path: string;
  readonly agent: string;
  readonly status: StepStatus;
  readonly dependsOn: readonly string[];
  /** Attempts started. */
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When the next attempt starts, while `retrying`. */
  readonly retryAt?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly artifacts?: readonly ArtifactView[];
  readonly failure?: Failure;
  readonly skipReason?: SkipReason;
  readonly usage: Usage;
  readonly costUsd: number;
}

/** Progress of a run by its steps. */
export function progressOf(completed: number, total: number): RunProgress {
  return { completed, total, percent: total === 0 ? 100 : Math.floor((100 * completed) / total) };
}

/** Where a run and its parts are read. */
export function linksOf(runId: string): RunView['links'] {
  const self = `/api/v1/runs/${runId}`;
  return { self, steps: `${self}/steps`, events: `${self}/events` };
}

/** A run as the API shows it. */
export function viewOfRun(namespace: string, state: RunState): RunView {
  const { queued, runId: id } = state;
  const { definition, manifest, options } = queued;
  return {
    id,
    namespace,
    ...present('name', definition.name),
    status: state.status,
    ...present('workflow', manifest.workflow),
    createdAt: isoOf(state.createdAt),
    ...present('startedAt', state.startedAt === undefined ? undefined : isoOf(state.startedAt)),
    ...present('endedAt', state.endedAt === undefined ? undefined : isoOf(state.endedAt)),
    progress: progressOf(settledCount(state), state.steps.length),
    input: queued.input,
    context: state.context,
    ...present('output', state.output),
    ...present('failure', state.failure),
    usage: state.usage,
    costUsd: usdFromMicros(state.costMicros),
    tags: options.tags,
    priority: options.priority,
    manifest: viewOfManifest(manifest),
    lastSeq: state.lastSeq,
    links: linksOf(id),
  };
}

function viewOfManifest({ templates, ...manifest }: RunManifest): ManifestView {
  if (templates === undefined) return manifest;
  const references = Object.entries(templates).map(
    ([stepId, template]) => [stepId, referenceOf(template)] as const,
  );
  return { ...manifest, templates: Object.fromEntries(references) };
}

/** A step as the API shows it. What a run that has ended left undone shows as cancelled. */
export function viewOfStep(state: RunState, step: StepState): StepView {
  const compiled = state.graph.steps[step.index];
  const id = compiled?.id ?? '';
  return {
    id,
    path: id,
    agent: compiled?.agentKey ?? '',
    status: isTerminal(state.status) && !isSettled(step.status) ? 'cancelled' : step.status,
    dependsOn: (compiled?.dependencies ?? []).map((index) => state.graph.steps[index]?.id ?? ''),
    attempts: step.attempt,
    ...present('startedAt', step.firstStartedAt === undefined ? undefined : isoOf(step.firstStartedAt)),
    ...present('endedAt', step.endedAt === undefined ? undefined : isoOf(step.endedAt)),
    ...present('retryAt', step.retryAt === undefined ? undefined : isoOf(step.retryAt)),
    ...present('input', step.input),
    ...present('output', step.output),
    ...present(
      'artifacts',
      step.artifacts?.map((artifact) => viewOfArtifact(state.runId, artifact)),
    ),
    ...present('failure', step.failure),
    ...present('skipReason', step.status === 'skipped' ? step.skipReason : undefined),
    usage: step.usage,
    costUsd: usdFromMicros(step.costMicros),
  };
}

function viewOfArtifact(runId: string, { name, mediaType, bytes }: ArtifactRef): ArtifactView {
  return { name, mediaType, bytes, href: `/api/v1/runs/${runId}/artifacts/${name}` };
}

function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });
}
