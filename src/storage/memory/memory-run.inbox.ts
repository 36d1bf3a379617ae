import { RunInbox, type InboxEntry, type InboxRow } from '../../runs/run.inbox.js';
import type { Claim } from '../../runs/domain/claim.js';
import type { MemoryRecord } from './memory-record.js';

export class MemoryRunInbox extends RunInbox {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override put(entry: InboxEntry): Promise<boolean> {
    return Promise.resolve(this.record.putInbox(entry));
  }

  override pending(
    runId: string,
  ): Promise<{ readonly rows: readonly InboxRow[]; readonly inboxSeq: number }> {
    const entry = this.record.runs.get(runId);
    return Promise.resolve({ rows: entry?.inbox ?? [], inboxSeq: entry?.inboxSeq ?? 0 });
  }

  override discard(claim: Claim, rowIds: readonly number[]): Promise<void> {
    this.record.discard(claim, rowIds);
    return Promise.resolve();
  }
}
