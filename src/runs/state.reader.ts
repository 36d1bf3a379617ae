import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import type { Kept } from './domain/kept.js';
import { runErrors } from './domain/run.errors.js';
import type { RunState } from './domain/run.state.js';
import { isTerminal } from './domain/run.status.js';
import { ContentLoader } from './engine/content.loader.js';
import { RunEngine } from './engine/run.engine.js';
import { RunLoader } from './engine/run.loader.js';
import { RunCatalogue } from './run.catalogue.js';

/** How many states of finished runs are kept. */
const MAX_KEPT = 200;

/** Runs with longer logs are folded again each time: their states are not worth the memory. */
const MAX_KEPT_EVENTS = 3_000;

/**
 * Reads states of runs as the record has them: from the loop that drives them here, else by folding their log.
 *
 * States of finished runs are kept for `AGENT_CONTEXT_TTL_SECONDS`; a state is used only while the run's row says
 * that nothing was added to its log.
 */
@Injectable()
export class StateReader {
  private readonly kept = new Map<string, { readonly state: RunState; readonly until: number }>();

  constructor(
    private readonly engine: RunEngine,
    private readonly loader: RunLoader,
    private readonly catalogue: RunCatalogue,
    private readonly contents: ContentLoader,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
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
    const kept = this.kept.get(runId);
    if (kept?.state.lastSeq === row.lastSeq && kept.until > this.clock.now()) return kept.state;
    const loaded = await this.loader.load(namespace, runId);
    if (loaded === undefined) throw runNotFound(runId);
    const { state } = loaded;
    if (isTerminal(state.status) && state.lastSeq <= MAX_KEPT_EVENTS) this.keep(runId, state);
    return state;
  }

  private keep(runId: string, state: RunState): void {
    this.kept.delete(runId);
    this.kept.set(runId, { state, until: this.clock.now() + this.config.contextTtlMs });
    if (this.kept.size > MAX_KEPT) this.kept.delete(this.kept.keys().next().value ?? '');
  }
}

/** The refusal of a run that does not exist in the caller's namespace. */
export function runNotFound(runId: string): AppError {
  return AppError.of(runErrors['run.not-found'], `there is no run ${runId}`);
}
