import type {
  DuePurges,
  EndPlace,
  Purge,
  PurgedRun,
  PurgeResult,
  RunName,
} from '../../runs/retention.store.js';
import { RetentionStore } from '../../runs/retention.store.js';
import type { RunRow } from '../../runs/run.catalogue.js';
import { rowOf } from './memory-run.catalogue.js';
import type { MemoryTaskStore } from './memory-task.store.js';
import type { MemoryRecord, RunEntry } from './memory-record.js';

interface Remembered {
  readonly namespace: string;
  readonly last: PurgedRun;
  readonly purgedAt: number;
  blobsAt: number | undefined;
}

/** Nothing is delivered from memory, so no deliveries hold a run back. */
export class MemoryRetentionStore extends RetentionStore {
  private readonly purged = new Map<string, Remembered>();

  constructor(
    private readonly record: MemoryRecord,
    private readonly tasks: MemoryTaskStore,
  ) {
    super();
  }

  override due(endedBefore: number, limit: number, after?: EndPlace): Promise<DuePurges> {
    const ended = [...this.record.runs.values()]
      .filter((entry) => entry.summary.endedAt !== undefined && !this.isNested(entry))
      .sort((a, b) => (isBefore(placeOf(a), placeOf(b)) ? -1 : 1));
    const due = ended
      .filter((entry) => placeOf(entry).endedAt < endedBefore)
      .filter((entry) => after === undefined || isBefore(after, placeOf(entry)))
      .slice(0, limit);
    const next = ended.find((entry) => placeOf(entry).endedAt >= endedBefore);
    return Promise.resolve({
      runs: due.map((entry) => ({
        run: rowOf(entry),
        endedAt: placeOf(entry).endedAt,
        isTold: false,
      })),
      ...(next !== undefined && { nextEndAt: placeOf(next).endedAt }),
    });
  }

  override purge({ run, last, cursors, at, blobsAt }: Purge): Promise<PurgeResult> {
    const entry = this.record.findIn(run.namespace, run.id);
    const hasChanged = entry?.events.length !== run.lastSeq || entry.ownerId !== undefined;
    if (entry?.summary.endedAt === undefined || hasChanged) return Promise.resolve('changed');
    if (this.isNested(entry)) return Promise.resolve('nested');
    if (cursors.some((cursor) => this.record.isUnread(run.id, Number(cursor))))
      return Promise.resolve('unread');
    const hasBlobs = this.record.hasBlobs(run.id);
    this.record.purge(entry);
    this.tasks.forgetRun(run.id);
    const { namespace } = run;
    this.purged.set(run.id, { namespace, last, purgedAt: at, blobsAt: hasBlobs ? blobsAt : undefined });
    return Promise.resolve('purged');
  }

  override endedChildren({ namespace, runId }: RunName, limit: number): Promise<readonly RunRow[]> {
    const children = [...this.record.runs.values()].filter(
      ({ run, summary }) =>
        run.namespace === namespace && run.parentId === runId && summary.endedAt !== undefined,
    );
    return Promise.resolve(children.slice(0, limit).map(rowOf));
  }

  override findPurged(namespace: string, runId: string): Promise<PurgedRun | undefined> {
    const found = this.purged.get(runId);
    return Promise.resolve(found?.namespace === namespace ? found.last : undefined);
  }

  override blobsDue(now: number, limit: number): Promise<readonly RunName[]> {
    const due = [...this.purged]
      .filter(([, { blobsAt = Infinity }]) => blobsAt <= now)
      .map(([runId, { namespace }]) => ({ namespace, runId }));
    return Promise.resolve(due.slice(0, limit));
  }

  override blobsGone({ runId }: RunName): Promise<void> {
    const found = this.purged.get(runId);
    if (found !== undefined) found.blobsAt = undefined;
    return Promise.resolve();
  }

  override forget(purgedBefore: number, limit: number): Promise<number> {
    const old = [...this.purged].filter(
      ([, { purgedAt, blobsAt }]) => purgedAt < purgedBefore && blobsAt === undefined,
    );
    for (const [runId] of old.slice(0, limit)) this.purged.delete(runId);
    return Promise.resolve(Math.min(old.length, limit));
  }

  override next(): Promise<{ readonly purgedAt?: number; readonly blobsAt?: number }> {
    const all = [...this.purged.values()];
    const purgedAt = Math.min(...all.map((one) => one.purgedAt));
    const blobsAt = Math.min(...all.map((one) => one.blobsAt ?? Infinity));
    return Promise.resolve({
      ...(purgedAt < Infinity && { purgedAt }),
      ...(blobsAt < Infinity && { blobsAt }),
    });
  }

  private isNested({ run: { parentId } }: RunEntry): boolean {
    return parentId !== undefined && this.record.runs.has(parentId);
  }
}

function placeOf({ run, summary }: RunEntry): EndPlace {
  return { endedAt: summary.endedAt ?? 0, runId: run.id };
}

function isBefore(a: EndPlace, b: EndPlace): boolean {
  return a.endedAt === b.endedAt ? a.runId < b.runId : a.endedAt < b.endedAt;
}
