/**
 * The record, and somebody beside it who sees everything that it does.
 *
 * What the witness refuses to believe is a violation of its own: an append of a former owner, a lease that came back.
 */
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunInbox } from '../../src/runs/run.inbox.js';
import type { RunLease, Renewal } from '../../src/runs/run.lease.js';
import type { Append, AppendResult, CreateResult, Creation, RunStore } from '../../src/runs/run.store.js';
import { MemoryRecord } from '../../src/storage/memory/memory-record.js';
import { MemoryRunInbox } from '../../src/storage/memory/memory-run.inbox.js';
import { MemoryRunLease } from '../../src/storage/memory/memory-run.lease.js';
import { MemoryRunStore } from '../../src/storage/memory/memory-run.store.js';
import type { Clock } from '../../src/platform/clock/clock.js';
import type { RunEvidence, Violation } from '../support/invariants/evidence.js';

/** What the witness tells as it happens. */
export interface WitnessListener {
  note(line: string): void;
  violated(violation: Violation): void;
}

export class Witness {
  readonly store: RunStore;
  readonly lease: RunLease;
  readonly inbox: RunInbox;
  readonly record: MemoryRecord;
  private readonly writtenAt = new Map<string, number[]>();

  constructor(
    private readonly clock: Clock,
    private readonly listener: WitnessListener,
  ) {
    this.record = new MemoryRecord(clock);
    const seen = this.seen.bind(this);
    this.inbox = new MemoryRunInbox(this.record);
    this.lease = new WitnessedLease(this.record, listener);
    this.store = new WitnessedStore(this.record, listener, seen);
  }

  /** What the record has of every run. */
  evidence(): readonly RunEvidence[] {
    return [...this.record.runs.values()].map(({ run, events, appendIds, summary, ownerId }) => ({
      runId: run.id,
      events: events.map(({ text }) => JSON.parse(text) as RunEvent),
      appends: appendIds,
      writtenAt: this.writtenAt.get(run.id) ?? [],
      row: { status: summary.status, lastSeq: events.length, ...(ownerId !== undefined && { ownerId }) },
    }));
  }

  private seen(runId: string): void {
    const times = this.writtenAt.get(runId) ?? [];
    this.writtenAt.set(runId, times);
    const { events = [] } = this.record.runs.get(runId) ?? {};
    for (const { event } of events.slice(times.length)) {
      times.push(this.clock.now());
      this.listener.note(`${event.seq} ${event.type} ${event.path ?? event.stepId ?? ''}`);
    }
  }
}

class WitnessedStore extends MemoryRunStore {
  constructor(
    private readonly memory: MemoryRecord,
    private readonly listener: WitnessListener,
    private readonly seen: (runId: string) => void,
  ) {
    super(memory);
  }

  override async create(creation: Creation): Promise<CreateResult> {
    const result = await super.create(creation);
    this.seen(creation.run.id);
    return result;
  }

  override append(append: Append): Promise<AppendResult> {
    const { runId, epoch } = append.claim;
    const held = this.memory.runs.get(runId)?.epoch;
    const result = super.append(append);
    this.seen(runId);
    return result.then((answer) => {
      if (answer.outcome === 'appended' && held !== epoch) {
        const message = `an append of epoch ${epoch} was taken, the claim has epoch ${String(held)}`;
        this.listener.violated({ invariant: 'I4', runId, message });
      }
      return answer;
    });
  }
}

class WitnessedLease extends MemoryRunLease {
  constructor(
    private readonly memory: MemoryRecord,
    private readonly listener: WitnessListener,
  ) {
    super(memory);
  }

  override async renew(ownerId: string, ttlMs: number): Promise<Renewal> {
    const wasLost = this.memory.leases.has(ownerId) && !this.memory.isLive(ownerId);
    const renewal = await super.renew(ownerId, ttlMs);
    if (wasLost && renewal.held) {
      const message = `the lease of ${ownerId} was renewed after it had run out`;
      this.listener.violated({ invariant: 'I7', message });
    }
    return renewal;
  }
}
