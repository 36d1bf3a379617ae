import { Injectable } from '@nestjs/common';

import { contextErrors } from '../context/domain/context.errors.js';
import { valueAt } from '../context/domain/context-path.js';
import { AppError } from '../kernel/failure.js';
import { canonicalJson, type Json, type JsonObject } from '../kernel/json.js';
import { isoOf } from '../kernel/time.js';
import { requireVersion } from '../platform/http/if-match.js';
import { IdSource } from '../platform/ids/id.source.js';
import { refusalOfContext } from './domain/context-control.js';
import type { ContextCommand } from './domain/run.commands.js';
import type { RunEvent } from './domain/run.events.js';
import type { RunState, Snapshot } from './domain/run.state.js';
import { isTerminal } from './domain/run.status.js';
import { RunLoader } from './engine/run.loader.js';
import { RunControlService, type ControlAnswer } from './run-control.service.js';
import { RunForkService } from './run-fork.service.js';
import { RunReader } from './run.reader.js';
import { runNotFound } from './state.reader.js';

/** A context, or a part of it, at a version. */
export interface ContextView {
  /** The place that was asked for. */
  readonly path?: string;
  readonly value: Json;
  /** The number of the event that changed the context last. */
  readonly version: number;
}

export interface ContextAnswer extends ContextView {
  /** False when the change is in the inbox of the run and not recorded yet. */
  readonly isRecorded: boolean;
}

export interface SnapshotView {
  readonly name: string;
  /** The number of the event that made it. */
  readonly seq: number;
  readonly createdAt: string;
}

/** A run, and a place in it that is asked for. */
interface RunPlace {
  readonly namespace: string;
  readonly runId: string;
}

/** Reading and changing the context of runs from outside, and its snapshots. */
@Injectable()
export class RunContextService {
  constructor(
    private readonly control: RunControlService,
    private readonly reader: RunReader,
    private readonly loader: RunLoader,
    private readonly forks: RunForkService,
    private readonly ids: IdSource,
  ) {}

  /** The context, or what is at a place. @throws AppError `run.not-found`, `context.path-not-found` */
  read({ namespace, runId }: RunPlace, path?: string): Promise<ContextView> {
    return this.reader.read(namespace, runId, ({ context, contextSeq: version }) => {
      if (path === undefined) return { value: context, version };
      const value = valueAt(context, path);
      if (value !== undefined) return { path, value, version };
      const message = `the context of run ${runId} has nothing at "${path}"`;
      throw AppError.of(contextErrors['context.path-not-found'], message);
    });
  }

  /**
   * Applies a merge patch (RFC 7396).
   *
   * @param versions refused unless the context is at one of them
   * @throws AppError `run.not-found`, `run.not-active`, `version.stale`, `context.too-large`
   */
  async patch(
    place: RunPlace,
    patch: JsonObject,
    { versions, by }: { readonly versions?: readonly number[]; readonly by?: string },
  ): Promise<ContextAnswer> {
    const command = {
      ...{ type: 'patch-context' as const, patch },
      ...(versions && { versions }),
      ...(by !== undefined && { by }),
    };
    try {
      const isRecorded = await this.send(place, command, (event) => isPatch(event, patch));
      return { ...(await this.read(place)), isRecorded };
    } catch (error) {
      if (isStale(error)) requireVersion(versions, Number(error.failure.details?.['version']));
      throw error;
    }
  }

  /** Snapshots in the order in which they were made. @throws AppError `run.not-found` */
  snapshots({ namespace, runId }: RunPlace): Promise<readonly SnapshotView[]> {
    return this.reader.read(namespace, runId, ({ snapshots }) =>
      [...snapshots].map(([name, snapshot]) => viewOf(name, snapshot)),
    );
  }

  /**
   * Names the context as it is now. A position in the log, not a copy.
   *
   * @throws AppError `run.not-found`, `run.not-active`, `snapshot.exists`, `snapshot.too-many`
   */
  async createSnapshot(
    place: RunPlace,
    name: string,
    by?: string,
  ): Promise<{ readonly snapshot?: SnapshotView }> {
    const command = { type: 'create-snapshot', name, ...(by !== undefined && { by }) } as const;
    await this.send(place, command, ({ type, data }) => type === 'snapshot.created' && data.name === name);
    const { namespace, runId } = place;
    return this.reader.read(namespace, runId, ({ snapshots }) => {
      const snapshot = snapshots.get(name);
      return snapshot === undefined ? {} : { snapshot: viewOf(name, snapshot) };
    });
  }

  /**
   * Gives a paused run the context of a snapshot; forks a run that has ended from there.
   *
   * @throws AppError `run.not-found`, `snapshot.not-found`, `run.not-paused`, `run.not-active`, `queue.full`
   */
  async restore(
    place: RunPlace,
    name: string,
    by?: string,
  ): Promise<ControlAnswer & { readonly isForked: boolean }> {
    const { namespace, runId } = place;
    const { seq, hasEnded } = await this.reader.read(namespace, runId, (state) => ({
      seq: requireSnapshot(state, name).seq,
      hasEnded: isTerminal(state.status),
    }));
    const who = by === undefined ? {} : { by };
    if (hasEnded) {
      const { run } = await this.forks.fork(runId, { namespace, atSeq: seq, ...who });
      return { run, isRecorded: true, isForked: true };
    }
    const past = await this.loader.stateAt(namespace, runId, seq);
    if (past === undefined) throw runNotFound(runId);
    const command = { type: 'restore-context', name, context: past.context, ...who } as const;
    const isRecorded = await this.send(
      place,
      command,
      ({ type, data }) => type === 'context.updated' && data.snapshot === name,
    );
    return { run: await this.reader.run(namespace, runId), isRecorded, isForked: false };
  }

  private async send(
    { namespace, runId }: RunPlace,
    command: ContextCommand,
    isIt: (event: RunEvent) => boolean,
  ): Promise<boolean> {
    const row = await this.reader.requireRow(namespace, runId);
    const refusal = await this.reader.read(namespace, runId, (state) => refusalOfContext(state, command));
    if (refusal !== undefined) throw new AppError(refusal);
    return this.control.record(row, { ...command, id: this.ids.next('cmd') }, isIt);
  }
}

function isPatch({ type, data }: RunEvent, patch: JsonObject): boolean {
  if (type !== 'context.updated' || data.reducer !== 'merge-patch') return false;
  return canonicalJson(data.value) === canonicalJson(patch);
}

/** Callers hear the code of all things that have versions. */
function isStale(error: unknown): error is AppError {
  return AppError.is(error) && error.failure.code === contextErrors['context.stale'].code;
}

function requireSnapshot({ snapshots, runId }: RunState, name: string): Snapshot {
  const snapshot = snapshots.get(name);
  if (snapshot !== undefined) return snapshot;
  throw AppError.of(contextErrors['snapshot.not-found'], `run ${runId} has no snapshot "${name}"`);
}

function viewOf(name: string, { seq, at }: Snapshot): SnapshotView {
  return { name, seq, createdAt: isoOf(at) };
}
