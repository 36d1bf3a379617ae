import { Injectable } from '@nestjs/common';

import { changesBetween, type JsonChange } from '../context/domain/json-changes.js';
import { mergePatch } from '../context/domain/merge-patch.js';
import { AppError } from '../kernel/failure.js';
import { fieldErrors } from '../kernel/field.errors.js';
import type { Json, JsonObject } from '../kernel/json.js';
import { isoOf } from '../kernel/time.js';
import { Clock } from '../platform/clock/clock.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { IdSource } from '../platform/ids/id.source.js';
import { WorkflowService } from '../workflows/workflow.service.js';
import { seqBefore } from './domain/fork.js';
import { replay } from './domain/evolve.js';
import { runErrors } from './domain/run.errors.js';
import type { FirstEvent, RunBeginning, RunEventOf } from './domain/run.events.js';
import type { RunState } from './domain/run.state.js';
import { DELIVERS_ITS_END } from './domain/sub-run.js';
import { findUnit } from './domain/unit.js';
import { viewOfManifest } from './domain/view.js';
import { ForkHistory } from './engine/fork-history.js';
import { RunLoader, type WholeLog } from './engine/run.loader.js';
import { upgradedManifest, type ForkUpgrade } from './fork-upgrade.js';
import { RunService, type StartAnswer, type StartRequest } from './run.service.js';
import { runNotFound } from './state.reader.js';

/** How many changes a fork tells. */
const MAX_CHANGES = 100;

/** What a fork begins with, and what is different. */
export interface ForkRequest extends Pick<StartRequest, 'namespace' | 'idempotency'> {
  /** The number of the last event that counts. @default the last one of the log */
  readonly atSeq?: number;
  /** Begin before this step, item or iteration, in place of `atSeq`. */
  readonly atStep?: string;
  /** In place of the run's. */
  readonly input?: Json;
  /** A merge patch (RFC 7396) of the context at that event. */
  readonly context?: JsonObject;
  readonly upgrade?: ForkUpgrade;
  readonly by?: string;
}

/** Starting runs with the state of others. */
@Injectable()
export class RunForkService {
  constructor(
    private readonly runs: RunService,
    private readonly loader: RunLoader,
    private readonly histories: ForkHistory,
    private readonly workflows: WorkflowService,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  /**
   * Starts a run with the state that another had after an event. It is durable when this resolves, and needs nothing
   * of the other one any more.
   *
   * @throws AppError `run.not-found`, `run.not-forkable`, `step.not-found`, `input.invalid`, `queue.full`,
   *   `idempotency.mismatch`; `request.invalid` for an upgrade of what is not in the manifest; `definition.invalid` when
   *   something that is to be upgraded is gone
   */
  async fork(runId: string, request: ForkRequest): Promise<StartAnswer> {
    const { namespace, atSeq: asked, atStep } = request;
    if (asked !== undefined && atStep !== undefined) throw twoPlaces();
    const log = await this.loader.wholeLog(namespace, runId);
    if (log === undefined) throw runNotFound(runId);
    const atSeq = atSeqOf(runId, request, log);
    const past = { ...log, own: log.own.slice(0, atSeq) };
    const state = this.stateOf(past);
    const beginning = await this.beginningOf(state, request);
    const changes = changesOf(state, beginning);
    const history = await this.keep(namespace, past);
    const { by, idempotency } = request;
    const first: RunEventOf<'run.forked'> = {
      runId: this.ids.next('run'),
      seq: 1,
      type: 'run.forked',
      at: isoOf(this.clock.now()),
      data: { ...beginning, from: runId, atSeq, history, changes, ...(by !== undefined && { by }) },
    };
    const events = [...past.prior, ...past.own.map(({ event }) => event)];
    const opening = { first, graph: this.loader.graphOf(first), history: events };
    return this.runs.begin({ namespace, ...(idempotency && { idempotency }) }, opening);
  }

  private stateOf({ prior, own }: WholeLog): RunState {
    const events = own.map(({ event }) => event);
    return replay(events, this.loader.graphOf(events[0] as FirstEvent), prior);
  }

  /** The pieces that the run began with stay as they are; its own events follow in pieces of their own. */
  private async keep(
    namespace: string,
    { own }: WholeLog,
  ): Promise<RunEventOf<'run.forked'>['data']['history']> {
    const [first] = own;
    const before = first?.event.type === 'run.forked' ? first.event.data.history : [];
    return [...before, ...(await this.histories.keep(namespace, own))];
  }

  private async beginningOf({ queued, context }: RunState, request: ForkRequest): Promise<RunBeginning> {
    const { schemaVersion, flags, definition, options } = queued;
    const { input = queued.input } = request;
    if (request.input !== undefined) this.workflows.requireInput({ definition }, input, '/input');
    const manifest = await this.manifestOf(queued, request);
    const edited = request.context === undefined ? context : mergePatch(context, request.context);
    // nobody waits for a fork of a sub-run
    const own = flags.filter((flag) => flag !== DELIVERS_ITS_END);
    return { schemaVersion, flags: own, definition, manifest, input, context: edited, options };
  }

  private async manifestOf(
    { definition, manifest }: RunBeginning,
    { namespace, upgrade }: ForkRequest,
  ): Promise<RunBeginning['manifest']> {
    if (upgrade === undefined) return manifest;
    const now = await this.workflows.require(namespace, definition, '/definition');
    return upgradedManifest(manifest, upgrade, now);
  }
}

function atSeqOf(
  runId: string,
  { atSeq, atStep }: ForkRequest,
  { own, prior, state: { root } }: WholeLog,
): number {
  const lastSeq = own.length;
  if (atStep === undefined) {
    const seq = atSeq ?? lastSeq;
    if (seq >= 1 && seq <= lastSeq) return seq;
    throw AppError.of(runErrors['run.not-forkable'], `run ${runId} has events 1 to ${String(lastSeq)}`, {
      details: { lastSeq },
    });
  }
  if (findUnit(root, atStep) === undefined)
    throw AppError.of(runErrors['step.not-found'], `run ${runId} has no step "${atStep}"`);
  const seq = seqBefore(
    own.map(({ event }) => event),
    atStep,
  );
  if (seq !== undefined) return seq;
  const message =
    seqBefore(prior, atStep) === undefined ? 'has not begun' : 'began in the run that this is a fork of';
  throw AppError.of(runErrors['run.not-forkable'], `step "${atStep}" of run ${runId} ${message}`);
}

function twoPlaces(): AppError {
  const message = 'give atSeq or atStep, not both';
  const issues = [{ pointer: '/atStep', code: fieldErrors['field.invalid'].code, message }];
  return AppError.of(httpErrors['request.invalid'], message, { issues });
}

function changesOf(
  { queued, context }: RunState,
  { input, context: edited, manifest }: RunBeginning,
): readonly JsonChange[] {
  const before = { input: queued.input, context, manifest: viewOfManifest(queued.manifest) };
  const after = { input, context: edited, manifest: viewOfManifest(manifest) };
  return changesBetween(before as unknown as Json, after as unknown as Json, MAX_CHANGES);
}
