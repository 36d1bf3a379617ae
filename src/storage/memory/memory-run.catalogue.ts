import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import { isTerminal, type RunStatus } from '../../runs/domain/run.status.js';
import {
  RunCatalogue,
  type QueuePlace,
  type RunFilter,
  type RunHead,
  type RunReached,
  type RunRow,
} from '../../runs/run.catalogue.js';
import type { MemoryRecord, RunEntry } from './memory-record.js';

export class MemoryRunCatalogue extends RunCatalogue {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override find(namespace: string, runId: string): Promise<RunRow | undefined> {
    const entry = this.record.findIn(namespace, runId);
    return Promise.resolve(entry && rowOf(entry));
  }

  override findMany(namespace: string, runIds: readonly string[]): Promise<readonly RunRow[]> {
    const entries = runIds.flatMap((runId) => this.record.findIn(namespace, runId) ?? []);
    return Promise.resolve(entries.map(rowOf));
  }

  override findAhead(reached: readonly RunReached[]): Promise<readonly RunHead[]> {
    const heads = reached.flatMap(({ runId, seq }) => {
      const entry = this.record.runs.get(runId);
      if (entry === undefined || entry.events.length <= seq) return [];
      return [{ runId, namespace: entry.run.namespace, lastSeq: entry.events.length }];
    });
    return Promise.resolve(heads);
  }

  override list(namespace: string, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    // Every key is greater than the empty text, so a cursor that is not one of ours leaves nothing.
    const below = page.cursor === undefined ? undefined : (decodeCursor(page.cursor) ?? '');
    const isByTime = filter.tag === undefined && (filter.from !== undefined || filter.to !== undefined);
    const keyOf = ({ id, createdAt }: Pick<RunRow, 'id' | 'createdAt'>): string =>
      isByTime ? `${String(createdAt).padStart(16, '0')}:${id}` : id;
    const found = [...this.record.runs.values()]
      .filter((entry) => entry.run.namespace === namespace && matches(entry, filter))
      .filter(({ run }) => below === undefined || keyOf(run) < below)
      .sort((a, b) => (keyOf(a.run) < keyOf(b.run) ? 1 : -1));
    const rows = found.slice(0, page.limit + 1).map(rowOf);
    return Promise.resolve(pageOf(rows, page.limit, keyOf));
  }

  override queuedBefore(place: QueuePlace): Promise<number> {
    const before = [...this.record.wakingRuns].filter(
      (entry) => entry.summary.status === 'queued' && isBefore(entry, place),
    );
    return Promise.resolve(before.length);
  }

  override openCounts(): Promise<{ readonly [S in RunStatus]?: number }> {
    const present = [...this.record.counts].filter(([status, count]) => count > 0 && !isTerminal(status));
    return Promise.resolve(Object.fromEntries(present));
  }

  override counts(): Promise<{ readonly [S in RunStatus]?: number }> {
    const present = [...this.record.counts].filter(([, count]) => count > 0);
    return Promise.resolve(Object.fromEntries(present));
  }
}

function matches({ run, summary }: RunEntry, filter: RunFilter): boolean {
  return (
    (filter.status === undefined || summary.status === filter.status) &&
    (filter.workflowId === undefined || run.workflowId === filter.workflowId) &&
    (filter.parentId === undefined || run.parentId === filter.parentId) &&
    (filter.tag === undefined || run.tags.includes(filter.tag)) &&
    (filter.from === undefined || run.createdAt >= filter.from) &&
    (filter.to === undefined || run.createdAt < filter.to) &&
    (filter.errorCode === undefined || summary.failureCode === filter.errorCode) &&
    (filter.errorText === undefined || hasText(summary.failureMessage, filter.errorText)) &&
    (filter.minCostMicros === undefined || summary.costMicros >= filter.minCostMicros) &&
    (filter.maxCostMicros === undefined || summary.costMicros <= filter.maxCostMicros)
  );
}

function isBefore({ run, wakeAt = Infinity }: RunEntry, place: QueuePlace): boolean {
  if (run.priority !== place.priority) return run.priority > place.priority;
  return wakeAt === place.wakeAt ? run.id < place.id : wakeAt < place.wakeAt;
}

function hasText(message: string | undefined, text: string): boolean {
  return message !== undefined && asciiLower(message).includes(asciiLower(text));
}

function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The row of a run. */
export function rowOf(entry: RunEntry): RunRow {
  return {
    ...without(entry.run, 'events', 'appendId'),
    summary: summaryOf(entry),
    lastSeq: entry.events.length,
    epoch: entry.epoch,
    ...(entry.ownerId !== undefined && { ownerId: entry.ownerId }),
  };
}

function summaryOf({ summary, wakeAt }: RunEntry): RunRow['summary'] {
  return { ...without(summary, 'wakeAt'), ...(wakeAt !== undefined && { wakeAt }) };
}

function without<T extends object, K extends string & keyof T>(row: T, ...names: readonly K[]): Omit<T, K> {
  const kept = Object.entries(row).filter(([name]) => !names.some((one) => one === name));
  return Object.fromEntries(kept) as Omit<T, K>;
}
