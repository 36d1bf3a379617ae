import { RunLease, type Claimed, type Due, type DueRun, type Renewal } from '../../runs/run.lease.js';
import type { Claim } from '../../runs/domain/claim.js';
import type { MemoryRecord, RunEntry } from './memory-record.js';

const MAX_ATTENTION = 1_000;
const RETIRED = -Infinity;

export class MemoryRunLease extends RunLease {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override renew(ownerId: string, ttlMs: number): Promise<Renewal> {
    const now = this.record.clock.now();
    const expiresAt = this.record.leases.get(ownerId);
    if (expiresAt !== undefined && expiresAt <= now)
      return Promise.resolve({ held: false, now, attention: [] });
    this.record.leases.set(ownerId, now + ttlMs);
    return Promise.resolve({ held: true, now, attention: this.attentionOf(ownerId, now) });
  }

  override retire(which: { readonly ownerId: string } | 'expired' | 'all'): Promise<number> {
    let freed = 0;
    for (const ownerId of this.ownersToRetire(which)) freed += this.retireOne(ownerId);
    return Promise.resolve(freed);
  }

  override claim(runId: string, ownerId: string, seenEpoch?: number): Promise<Claimed | undefined> {
    const entry = this.record.runs.get(runId);
    const isRefused = entry?.ownerId !== undefined || !this.record.isLive(ownerId);
    if (entry === undefined || isRefused) return Promise.resolve(undefined);
    if (seenEpoch !== undefined && entry.epoch !== seenEpoch) return Promise.resolve(undefined);
    this.record.change(entry, { ownerId, epoch: entry.epoch + 1 });
    return Promise.resolve({
      claim: { runId, ownerId, epoch: entry.epoch },
      namespace: entry.run.namespace,
      lastSeq: entry.events.length,
      inboxSeq: entry.inboxSeq,
    });
  }

  override park(claim: Claim, inboxSeq: number, wakeAt: number | undefined): Promise<boolean> {
    const entry = this.record.findClaimed(claim);
    if (entry?.inboxSeq !== inboxSeq) return Promise.resolve(false);
    this.record.change(entry, { ownerId: undefined, wakeAt });
    return Promise.resolve(true);
  }

  override release(claim: Claim): Promise<void> {
    const entry = this.record.findClaimed(claim);
    if (entry !== undefined) this.free(entry);
    return Promise.resolve();
  }

  override due(limit: number): Promise<Due> {
    const now = this.record.clock.now();
    const runs: DueRun[] = [];
    let nextWakeAt = Infinity;
    for (const entry of this.record.wakingRuns) {
      const wakeAt = entry.wakeAt ?? Infinity;
      if (wakeAt <= now) runs.push(dueRunOf(entry, wakeAt));
      else nextWakeAt = Math.min(nextWakeAt, wakeAt);
    }
    return Promise.resolve({
      runs: runs.sort(byUrgency).slice(0, limit),
      ...(nextWakeAt < Infinity && { nextWakeAt }),
      ...this.nextExpiry(),
    });
  }

  private attentionOf(ownerId: string, now: number): readonly string[] {
    const due = [...this.record.ownedBy(ownerId)].filter(
      ({ wakeAt }) => wakeAt !== undefined && wakeAt <= now,
    );
    return due
      .sort((a, b) => (a.wakeAt ?? 0) - (b.wakeAt ?? 0))
      .slice(0, MAX_ATTENTION)
      .map(({ run }) => run.id);
  }

  private ownersToRetire(which: { readonly ownerId: string } | 'expired' | 'all'): readonly string[] {
    if (typeof which === 'object') return [which.ownerId];
    const owners = [...this.record.leases.keys()];
    return which === 'all' ? owners : owners.filter((ownerId) => !this.record.isLive(ownerId));
  }

  private retireOne(ownerId: string): number {
    this.record.leases.set(ownerId, RETIRED);
    const runs = [...this.record.ownedBy(ownerId)];
    for (const entry of runs) this.free(entry);
    return runs.length;
  }

  private free(entry: RunEntry): void {
    this.record.change(entry, { ownerId: undefined, wakeAt: this.record.clock.now() });
  }

  private nextExpiry(): Pick<Due, 'nextExpiryAt'> {
    let nextExpiryAt = Infinity;
    for (const expiresAt of this.record.leases.values()) {
      if (expiresAt > RETIRED) nextExpiryAt = Math.min(nextExpiryAt, expiresAt);
    }
    return nextExpiryAt < Infinity ? { nextExpiryAt } : {};
  }
}

function dueRunOf({ run, epoch }: RunEntry, wakeAt: number): DueRun {
  return { runId: run.id, epoch, priority: run.priority, wakeAt };
}

function byUrgency(a: DueRun, b: DueRun): number {
  return b.priority - a.priority || a.wakeAt - b.wakeAt || (a.runId < b.runId ? -1 : 1);
}
