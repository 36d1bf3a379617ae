import { loggedEvent } from '../../runs/domain/logged-event.js';
import { RunLog, type ChangedRun, type LogChanges, type LogEntry, type LogPage } from '../../runs/run.log.js';
import type { MemoryRecord } from './memory-record.js';

/** The cursor is the number of appends read. Nothing here is ever open, so all that is written lies below the horizon. */
export class MemoryRunLog extends RunLog {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override readAfter(cursor: string, limit: number): Promise<LogPage> {
    const entries: LogEntry[] = [];
    const start = cursor === '' ? 0 : Number(cursor);
    let next = start;
    for (; next < this.record.log.length && entries.length < Math.max(limit, 1); next += 1) {
      const append = this.record.log[next];
      for (const event of append?.events ?? [])
        entries.push({ namespace: append?.namespace ?? '', event: loggedEvent(event.text) });
    }
    const reached = next === start ? cursor : String(next);
    return Promise.resolve({ entries, cursor: reached, more: next < this.record.log.length });
  }

  override head(): Promise<string> {
    return Promise.resolve(String(this.record.log.length));
  }

  override changedAfter(cursor: string, limit: number): Promise<LogChanges> {
    const runs = new Map<string, ChangedRun>();
    const start = cursor === '' ? 0 : Number(cursor);
    for (const { namespace, events } of this.record.log.slice(start).toReversed()) {
      const runId = events[0]?.event.runId;
      if (runId !== undefined && runs.size < limit) runs.set(runId, { runId, namespace });
    }
    return Promise.resolve({ runs: [...runs.values()], cursor: String(this.record.log.length) });
  }
}
