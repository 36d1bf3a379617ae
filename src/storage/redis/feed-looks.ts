/**
 * Looks into the record for what notes did not tell: one query for all runs that are followed in this process.
 *
 * Decided here: when. Seldom while notes arrive, because one may be lost without a sign; often while they do not; and
 * shortly after that has changed. Nothing is asked while nobody follows.
 */
import { Logger } from '@nestjs/common';

import type { InProcessRunFeed } from '../memory/in-process-run.feed.js';
import type { RunCatalogue, RunHead } from '../../runs/run.catalogue.js';
import type { RunLog } from '../../runs/run.log.js';
import type { RunStore } from '../../runs/run.store.js';
import type { NoteBus } from './note-bus.js';

/** Times between two looks. */
const SELDOM_MS = 5_000;
const OFTEN_MS = 500;
/** After a look that found what should have been told: the process that owns it cannot tell. */
const AGAIN_MS = 1_000;
/** After notes may have been missed: at once, and when what was under way then has been told. */
const SOON_MS = [25, 250];

/** Events of one run that a look reads. Where there are more, each follower reads on by itself. */
const PAGE_LIMIT = 500;
/** Runs that are read at the same time. */
const READ_AT_ONCE = 8;
/** Runs that watchers are told of by one look. */
const MAX_CHANGES = 10_000;

export interface LookedAt {
  readonly runs: RunStore;
  readonly catalogue: RunCatalogue;
  readonly log: RunLog;
}

export class FeedLooks {
  private readonly logger = new Logger('Feed');
  private readonly namespaces = new Set<string>();
  private soon: number[] = [];
  private hasFound = false;
  /** Whether something may have been missed before the look that comes next. */
  private isSuspicious = false;
  private isFailing = false;
  private isLooking = false;
  private isClosed = false;
  private cursor: Promise<string> | undefined;
  private next: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;

  constructor(
    private readonly record: LookedAt,
    private readonly local: InProcessRunFeed,
    private readonly bus: Pick<NoteBus, 'isSure'>,
  ) {}

  /** Somebody follows a run. */
  followed(): void {
    if (this.next === undefined && !this.isLooking) this.lookIn(this.nextDelay());
  }

  /** Somebody watches a namespace: what is written from now on counts. */
  watched(namespace: string): void {
    this.namespaces.add(namespace);
    this.cursor ??= this.record.log.head();
    this.cursor.catch(() => undefined); // seen by the look
    this.followed();
  }

  unwatched(namespace: string): void {
    this.namespaces.delete(namespace);
    if (this.namespaces.size === 0) this.cursor = undefined;
  }

  /** Notes may have been missed, or may be from now on. */
  lookSoon(): void {
    this.soon = [...SOON_MS];
    if (!this.isLooking) this.lookIn(this.nextDelay());
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.next?.timer);
  }

  private get isIdle(): boolean {
    return this.local.followerCount === 0 && this.namespaces.size === 0;
  }

  private nextDelay(): number {
    const soon = this.soon.shift();
    this.isSuspicious = soon !== undefined;
    if (soon !== undefined) return soon;
    if (!this.bus.isSure) return OFTEN_MS;
    return this.hasFound ? AGAIN_MS : SELDOM_MS;
  }

  private lookIn(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.isClosed || (this.next !== undefined && this.next.at <= at)) return;
    clearTimeout(this.next?.timer);
    this.next = { at, timer: setTimeout(() => void this.look(), delayMs).unref() };
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    this.next = undefined;
    if (this.isIdle) return;
    this.isLooking = true;
    const mayHaveMissed = this.isSuspicious || !this.bus.isSure;
    try {
      this.hasFound = await this.lookAtRuns();
      await this.lookAtNamespaces(mayHaveMissed);
      this.isFailing = false;
    } catch (err) {
      if (!this.isFailing) this.logger.warn({ msg: 'What is followed cannot be read from the record', err });
      this.isFailing = true;
    }
    this.isLooking = false;
    this.lookIn(this.nextDelay());
  }

  /** Whether there was anything that had not been told. */
  private async lookAtRuns(): Promise<boolean> {
    const reached = this.local.followed();
    if (reached.length === 0) return false;
    const seqs = new Map(reached.map(({ runId, seq }) => [runId, seq]));
    const heads = await this.record.catalogue.findAhead(reached);
    for (let from = 0; from < heads.length; from += READ_AT_ONCE) {
      const some = heads.slice(from, from + READ_AT_ONCE);
      await Promise.all(some.map((head) => this.read(head, seqs.get(head.runId) ?? 0)));
    }
    return heads.length > 0;
  }

  /** Read once for all who follow the run. */
  private async read({ namespace, runId, lastSeq }: RunHead, afterSeq: number): Promise<void> {
    const page = await this.record.runs.read(namespace, runId, { afterSeq, limit: PAGE_LIMIT });
    if (page !== undefined) this.local.deliver(runId, page.events);
    this.local.tell(runId, lastSeq);
  }

  /** While notes arrive it only remembers where the log ends. */
  private async lookAtNamespaces(mayHaveMissed: boolean): Promise<void> {
    if (this.cursor === undefined) return;
    const { log } = this.record;
    const cursor = await this.cursor.catch(() => undefined);
    if (cursor === undefined || !mayHaveMissed) {
      this.cursor = Promise.resolve(await log.head());
      return;
    }
    const changes = await log.changedAfter(cursor, MAX_CHANGES);
    if (this.namespaces.size > 0) this.cursor = Promise.resolve(changes.cursor);
    for (const { namespace, runId } of changes.runs) {
      if (this.namespaces.has(namespace)) this.local.changed(namespace, runId);
    }
  }
}
