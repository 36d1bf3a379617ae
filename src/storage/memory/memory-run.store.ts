import {
  RunStore,
  type Append,
  type AppendResult,
  type Checkpoint,
  type CreateResult,
  type Creation,
  type EventPage,
} from '../../runs/run.store.js';
import type { MemoryRecord } from './memory-record.js';

export class MemoryRunStore extends RunStore {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override create(creation: Creation): Promise<CreateResult> {
    return settle(() => this.record.create(creation));
  }

  override append(append: Append): Promise<AppendResult> {
    return settle(() => this.record.append(append));
  }

  override findAppend(runId: string, expectedSeq: number, appendId: string): Promise<boolean> {
    return Promise.resolve(this.record.runs.get(runId)?.appendIds[expectedSeq] === appendId);
  }

  override read(
    namespace: string,
    runId: string,
    { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
  ): Promise<EventPage | undefined> {
    const all = this.record.findIn(namespace, runId)?.events;
    if (all === undefined) return Promise.resolve(undefined);
    const events = all.slice(afterSeq, afterSeq + limit);
    return Promise.resolve({ events, lastSeq: all.length, more: afterSeq + events.length < all.length });
  }

  override saveCheckpoint(runId: string, checkpoint: Checkpoint): Promise<void> {
    const entry = this.record.runs.get(runId);
    if (entry !== undefined && checkpoint.seq >= (entry.checkpoint?.seq ?? 0)) entry.checkpoint = checkpoint;
    return Promise.resolve();
  }

  override findCheckpoint(runId: string, foldVersion: number): Promise<Checkpoint | undefined> {
    const checkpoint = this.record.runs.get(runId)?.checkpoint;
    return Promise.resolve(checkpoint?.foldVersion === foldVersion ? checkpoint : undefined);
  }
}

/** The answer of a synchronous transaction as a promise, a thrown error as a rejection. */
function settle<T>(transaction: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(transaction());
  });
}
