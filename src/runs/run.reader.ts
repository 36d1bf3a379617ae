import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { BlobRef, type Kept } from './domain/kept.js';
import { runErrors } from './domain/run.errors.js';
import type { ArtifactRef } from './domain/run.events.js';
import { findRecord, type RunState } from './domain/run.state.js';
import { referringStep, viewOfRun, viewOfStep, type RunView, type StepView } from './domain/view.js';
import { withReset, type FollowedItem } from './reset-feed.js';
import { RetentionStore, type Reset } from './retention.store.js';
import { RunCatalogue, type RunFilter, type RunRow } from './run.catalogue.js';
import { RunFeed, type FollowOptions } from './run.feed.js';
import { RunStore } from './run.store.js';
import { runNotFound, StateReader } from './state.reader.js';

/** Events read at once for an export. */
const LINES_IN_PIECE = 500;

/** How much of large values a list of steps has in it, in bytes. */
const MAX_LISTED_BYTES = 4 * 1_048_576;

/** Reads runs as the record has them. Large values are in what is read, whole. */
@Injectable()
export class RunReader {
  constructor(
    private readonly states: StateReader,
    private readonly catalogue: RunCatalogue,
    private readonly store: RunStore,
    private readonly feed: RunFeed,
    private readonly retention: RetentionStore,
  ) {}

  /** What a view makes of the state of a run. It reads the state, and keeps nothing of it. @throws AppError `run.not-found` */
  read<T>(namespace: string, runId: string, view: (state: RunState) => T): Promise<T> {
    return this.states.read(namespace, runId, view);
  }

  /** A run. @throws AppError `run.not-found` */
  async run(namespace: string, runId: string): Promise<RunView> {
    const { output, ...view } = await this.states.read(namespace, runId, (state) =>
      viewOfRun(namespace, state),
    );
    return output === undefined ? view : { ...view, output: await this.states.whole(namespace, output) };
  }

  /**
   * Steps of a run in definition order, then what undoes steps in the order in which it began; from `offset`, at most
   * `limit`. Large values are in the list up to 4 MiB, as references from there on.
   *
   * @throws AppError `run.not-found`
   */
  async steps(namespace: string, runId: string, offset: number, limit: number): Promise<readonly StepView[]> {
    const views = await this.states.read(namespace, runId, (state) => {
      const { units } = state.root;
      const steps = units.slice(offset, offset + limit);
      const from = Math.max(0, offset - units.length);
      const undoing = [...state.compensations.values()].slice(from, from + limit - steps.length);
      return [...steps, ...undoing].map((unit) => viewOfStep(state, unit));
    });
    const steps: StepView[] = [];
    let left = MAX_LISTED_BYTES;
    for (const view of views) {
      left -= blobBytesOf(view);
      steps.push(referringStep(runId, left < 0 ? view : await this.whole(namespace, view)));
    }
    return steps;
  }

  /** One step of a run, or one item or iteration. @throws AppError `run.not-found`, `step.not-found` */
  async step(namespace: string, runId: string, path: string): Promise<StepView> {
    const view = await this.states.read(namespace, runId, (state) => {
      const unit = findRecord(state, path);
      if (unit !== undefined) return viewOfStep(state, unit);
      throw AppError.of(runErrors['step.not-found'], `run ${runId} has no step "${path}"`);
    });
    return this.whole(namespace, view);
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

  /**
   * A page of events as JSON text: each event exactly as it is stored. Of a run that was deleted a page without events,
   * with a reset.
   *
   * @throws AppError `run.not-found`
   */
  async eventsJson(
    namespace: string,
    runId: string,
    range: { readonly afterSeq: number; readonly limit: number },
  ): Promise<string> {
    const page = await this.store.read(namespace, runId, range);
    if (page === undefined) return this.resetJson(namespace, runId);
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

  /** Follows a run: see RunFeed. Of one that was deleted, or is while it is followed, comes a reset, and then nothing. */
  follow(options: FollowOptions): AsyncIterable<FollowedItem> {
    const { namespace, runId } = options;
    return withReset(this.feed.follow(options), () => this.findReset(namespace, runId));
  }

  /** What a client is told that asks for events of a run that was deleted; undefined where nothing is known of it. */
  async findReset(namespace: string, runId: string): Promise<Reset | undefined> {
    const snapshot = await this.retention.findPurged(namespace, runId);
    return snapshot && { runId, seq: snapshot.lastSeq, reset: true, snapshot };
  }

  /** @throws AppError `run.not-found` when there neither is nor was such a run */
  async requireKnown(namespace: string, runId: string): Promise<void> {
    if ((await this.catalogue.find(namespace, runId)) !== undefined) return;
    if ((await this.findReset(namespace, runId)) === undefined) throw runNotFound(runId);
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
    return this.states.read(namespace, runId, (state) => {
      const found = state.artifacts.get(name);
      if (found !== undefined) return found;
      throw AppError.of(runErrors['artifact.not-found'], `run ${runId} has no artifact "${name}"`);
    });
  }

  private async resetJson(namespace: string, runId: string): Promise<string> {
    const reset = await this.findReset(namespace, runId);
    if (reset === undefined) throw runNotFound(runId);
    return JSON.stringify({ items: [], lastSeq: reset.seq, more: false, reset });
  }

  /** A step with its large values. */
  private async whole(namespace: string, { input, output, ...step }: StepView<Kept>): Promise<StepView> {
    return {
      ...step,
      ...(input !== undefined && { input: await this.states.whole(namespace, input) }),
      ...(output !== undefined && { output: await this.states.whole(namespace, output) }),
    };
  }
}

/** What the large values of a step take, in bytes. */
function blobBytesOf({ input, output }: StepView<Kept>): number {
  return [input, output].reduce((sum: number, kept) => sum + (BlobRef.is(kept) ? kept.bytes : 0), 0);
}
