import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import type { Kept } from './domain/kept.js';
import { runErrors } from './domain/run.errors.js';
import type { RunState } from './domain/run.state.js';
import { ContentLoader } from './engine/content.loader.js';
import { RunEngine } from './engine/run.engine.js';
import { RunFolds } from './engine/run-folds.js';
import { RunLoader } from './engine/run.loader.js';
import { RunCatalogue, type RunRow } from './run.catalogue.js';

/**
 * Reads states of runs as the record has them: from the loop that drives them here, else from a fold that is kept or
 * shared, and else from the log; the events after a fold are always added.
 */
@Injectable()
export class StateReader {
  constructor(
    private readonly engine: RunEngine,
    private readonly loader: RunLoader,
    private readonly catalogue: RunCatalogue,
    private readonly contents: ContentLoader,
    private readonly folds: RunFolds,
  ) {}

  /** What a view shows of a run. @throws AppError `run.not-found` */
  async read<T>(namespace: string, runId: string, view: (state: RunState) => T): Promise<T> {
    const loop = this.engine.find(runId);
    if (loop?.namespace === namespace) return loop.read(view);
    return view(await this.stateOf(namespace, runId));
  }

  /** A value of a state, loaded where it is a reference. @throws AppError `blob.not-found` */
  whole(namespace: string, kept: Kept): Promise<Json> {
    return this.contents.whole(namespace, kept);
  }

  private async stateOf(namespace: string, runId: string): Promise<RunState> {
    const row = await this.catalogue.find(namespace, runId);
    if (row === undefined) throw runNotFound(runId);
    const known = this.folds.find(namespace, runId);
    if (known !== undefined && known.lastSeq >= row.lastSeq) return known;
    const state = known === undefined ? await this.load(row) : await this.carryOn(namespace, known);
    if (state === undefined) throw runNotFound(runId);
    this.folds.keep(namespace, state);
    return state;
  }

  private async carryOn(namespace: string, state: RunState): Promise<RunState | undefined> {
    try {
      return await this.loader.carryOn(namespace, state);
    } catch (error) {
      // It may have been changed in part.
      this.folds.drop(state.runId);
      throw error;
    }
  }

  private async load({ namespace, id }: RunRow): Promise<RunState | undefined> {
    const fold = await this.folds.findShared(namespace, id);
    const shared = fold && (await this.loader.fromShared(namespace, id, fold));
    if (shared !== undefined) return shared;
    const loaded = await this.loader.load(namespace, id);
    if (loaded !== undefined) this.folds.share(namespace, loaded.state);
    return loaded?.state;
  }
}

/** The refusal of a run that does not exist in the caller's namespace. */
export function runNotFound(runId: string): AppError {
  return AppError.of(runErrors['run.not-found'], `there is no run ${runId}`);
}
