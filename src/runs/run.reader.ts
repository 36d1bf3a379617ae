import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { Clock } from '../platform/clock/clock.js';
import { runErrors } from './domain/run.errors.js';
import type { ArtifactRef } from './domain/run.events.js';
import { findRecord, type RunState } from './domain/run.state.js';
import { isTerminal } from './domain/run.status.js';
import { viewOfRun, viewOfStep, type RunView, type StepView } from './domain/view.js';
import { RunEngine } from './engine/run.engine.js';
import { RunLoader } from './engine/run.loader.js';
import { RunCatalogue, type RunFilter, type RunRow } from './run.catalogue.js';
import { RunFeed, type FeedItem, type FollowOptions } from './run.feed.js';
import { RunStore } from './run.store.js';

/** How many states of finished runs are kept. */
const MAX_KEPT = 200;

/** Events read at once for an export. */
const LINES_IN_PIECE = 500;

/** Runs with longer logs are folded again each time: their states are not worth the memory. */
const MAX_KEPT_EVENTS = 3_000;

/**
 * Reads runs as the record has them: from the loop that drives them here, else by folding their log.
 *
 * States of finished runs are kept for `AGENT_CONTEXT_TTL_SECONDS`; a state is used only while the run's row says
 * that nothing was added to its log.
 */
@Injectable()
export class RunReader {
  private readonly kept = new Map<string, { readonly state: RunState; readonly until: number }>();

  constructor(
    private readonly engine: RunEngine,
    private readonly loader: RunLoader,
    private readonly catalogue: RunCatalogue,
    private readonly store: RunStore,
    private readonly feed: RunFeed,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
  ) {}

  /** A run. @throws AppError `run.not-found` */
  run(namespace: string, runId: string): Promise<RunView> {
    return this.read(namespace, runId, (state) => viewOfRun(namespace, state));
  }

  /**
   * Steps of a run in definition order, then what undoes steps in the order in which it began; from `offset`, at most
   * `limit`.
   *
   * @throws AppError `run.not-found`
   */
  steps(namespace: string, runId: string, offset: number, limit: number): Promise<readonly StepView[]> {
    return this.read(namespace, runId, (state) => {
      const { units } = state.root;
      const steps = units.slice(offset, offset + limit);
      const from = Math.max(0, offset - units.length);
      const undoing = [...state.compensations.values()].slice(from, from + limit - steps.length);
      return [...steps, ...undoing].map((unit) => viewOfStep(state, unit));
    });
  }

  /** One step of a run, or one item or iteration. @throws AppError `run.not-found`, `step.not-found` */
  step(namespace: string, runId: string, path: string): Promise<StepView> {
    return this.read(namespace, runId, (state) => {
      const unit = findRecord(state, path);
      if (unit !== undefined) return viewOfStep(state, unit);
      throw AppError.of(runErrors['step.not-found'], `run ${runId} has no step "${path}"`);
    });
  }

  /** Rows of runs, newest first. */
  list(namespace: string, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    return this.catalogue.list(namespace, filter, page);
  }

  /** The rows of those runs that exist in the namespace, in no order. */
  rows(namespace: string, runIds: readonly string[]): Promise<readonly RunRow[]> {
    return this.catalogue.findMany(namespace, runIds);
  }

  /** Which runs of a namespace change: see RunFeed. */
  watch(namespace: string, signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    return this.feed.watch(namespace, signal);
  }

  /** The row of a run. @throws AppError `run.not-found` */
  async requireRow(namespace: string, runId: string): Promise<RunRow> {
    const row = await this.catalogue.find(namespace, runId);
    if (row === undefined) throw runNotFound(runId);
    return row;
  }

  /** A page of events as JSON text: each event exactly as it is stored. @throws AppError `run.not-found` */
  async eventsJson(
    namespace: string,
    runId: string,
    range: { readonly afterSeq: number; readonly limit: number },
  ): Promise<string> {
    const page = await this.store.read(namespace, runId, range);
    if (page === undefined) throw runNotFound(runId);
    const items = page.events.map(({ text }) => text).join(',');
    return `{"items":[${items}],"lastSeq":${String(page.lastSeq)},"more":${String(page.more)}}`;
  }

  /**
   * The log of a run after an event as JSON lines, in pieces of a few hundred lines: what it holds now, to the end.
   *
   * @throws AppError `run.not-found`
   */
  async *eventLines(
    namespace: string,
    runId: string,
    afterSeq: number,
  ): AsyncGenerator<string, void, undefined> {
    for (let reached = afterSeq, more = true; more;) {
      const page = await this.store.read(namespace, runId, { afterSeq: reached, limit: LINES_IN_PIECE });
      if (page === undefined) throw runNotFound(runId);
      if (page.events.length > 0) yield page.events.map(({ text }) => `${text}\n`).join('');
      reached = page.events.at(-1)?.event.seq ?? reached;
      more = page.more;
    }
  }

  /** The JSON text of one event as it is stored, or undefined when the log has none of that number. @throws AppError `run.not-found` */
  async eventText(namespace: string, runId: string, seq: number): Promise<string | undefined> {
    const page = await this.store.read(namespace, runId, { afterSeq: seq - 1, limit: 1 });
    if (page === undefined) throw runNotFound(runId);
    return page.events[0]?.text;
  }

  /** Follows a run: see RunFeed. */
  follow(options: FollowOptions): AsyncIterable<FeedItem> {
    return this.feed.follow(options);
  }

  /** The run once it has ended, or as it is after `waitMs` milliseconds. @throws AppError `run.not-found` */
  async whenEnded(namespace: string, runId: string, waitMs: number): Promise<RunView> {
    const signal = AbortSignal.timeout(waitMs);
    const items = this.feed.follow({ namespace, runId, afterSeq: 0, signal })[Symbol.asyncIterator]();
    while ((await items.next()).done !== true);
    return this.run(namespace, runId);
  }

  /** An artifact of a run by its name. @throws AppError `run.not-found`, `artifact.not-found` */
  artifact(namespace: string, runId: string, name: string): Promise<ArtifactRef> {
    return this.read(namespace, runId, (state) => {
      const found = state.artifacts.get(name);
      if (found !== undefined) return found;
      throw AppError.of(runErrors['artifact.not-found'], `run ${runId} has no artifact "${name}"`);
    });
  }

  private async read<T>(namespace: string, runId: string, view: (state: RunState) => T): Promise<T> {
    const loop = this.engine.find(runId);
    if (loop?.namespace === namespace) return loop.read(view);
    return view(await this.stateOf(namespace, runId));
  }

  private async stateOf(namespace: string, runId: string): Promise<RunState> {
    const { lastSeq } = await this.requireRow(namespace, runId);
    const kept = this.kept.get(runId);
    if (kept?.state.lastSeq === lastSeq && kept.until > this.clock.now()) return kept.state;
    const state = await this.loader.load(namespace, runId);
    if (state === undefined) throw runNotFound(runId);
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
