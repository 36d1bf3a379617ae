/** The record as a simulated process reaches it: every call goes through its network. */
import type { Claim } from '../../src/runs/domain/claim.js';
import { RunInbox, type InboxEntry, type InboxRow } from '../../src/runs/run.inbox.js';
import { RunLease, type Claimed, type Due, type Renewal } from '../../src/runs/run.lease.js';
import {
  RunStore,
  type Append,
  type AppendResult,
  type Checkpoint,
  type CreateResult,
  type Creation,
  type EventPage,
} from '../../src/runs/run.store.js';

/** The way to the record. */
interface Network {
  ask<T>(operation: string, apply: () => Promise<T>): Promise<T>;
}

export class FaultyStore extends RunStore {
  constructor(
    private readonly network: Network,
    private readonly store: RunStore,
  ) {
    super();
  }

  override create(creation: Creation): Promise<CreateResult> {
    return this.network.ask('create', () => this.store.create(creation));
  }

  override append(append: Append): Promise<AppendResult> {
    return this.network.ask('append', () => this.store.append(append));
  }

  override findAppend(runId: string, expectedSeq: number, appendId: string): Promise<boolean> {
    return this.network.ask('findAppend', () => this.store.findAppend(runId, expectedSeq, appendId));
  }

  override read(
    namespace: string,
    runId: string,
    range: { readonly afterSeq: number; readonly limit: number },
  ): Promise<EventPage | undefined> {
    return this.network.ask('read', () => this.store.read(namespace, runId, range));
  }

  override saveCheckpoint(runId: string, checkpoint: Checkpoint): Promise<void> {
    return this.network.ask('saveCheckpoint', () => this.store.saveCheckpoint(runId, checkpoint));
  }

  override findCheckpoint(runId: string, foldVersion: number): Promise<Checkpoint | undefined> {
    return this.network.ask('findCheckpoint', () => this.store.findCheckpoint(runId, foldVersion));
  }
}

export class FaultyLease extends RunLease {
  constructor(
    private readonly network: Network,
    private readonly lease: RunLease,
  ) {
    super();
  }

  override renew(ownerId: string, ttlMs: number): Promise<Renewal> {
    return this.network.ask('renew', () => this.lease.renew(ownerId, ttlMs));
  }

  override retire(which: { readonly ownerId: string } | 'expired' | 'all'): Promise<number> {
    return this.network.ask(which === 'all' ? 'retire all' : 'retire', () => this.lease.retire(which));
  }

  override claim(runId: string, ownerId: string, seenEpoch?: number): Promise<Claimed | undefined> {
    return this.network.ask('claim', () => this.lease.claim(runId, ownerId, seenEpoch));
  }

  override park(claim: Claim, inboxSeq: number, wakeAt: number | undefined): Promise<boolean> {
    return this.network.ask('park', () => this.lease.park(claim, inboxSeq, wakeAt));
  }

  override release(claim: Claim): Promise<void> {
    return this.network.ask('release', () => this.lease.release(claim));
  }

  override due(limit: number): Promise<Due> {
    return this.network.ask('due', () => this.lease.due(limit));
  }
}

export class FaultyInbox extends RunInbox {
  constructor(
    private readonly network: Network,
    private readonly inbox: RunInbox,
  ) {
    super();
  }

  override put(entry: InboxEntry): Promise<boolean> {
    return this.network.ask('put', () => this.inbox.put(entry));
  }

  override pending(
    runId: string,
  ): Promise<{ readonly rows: readonly InboxRow[]; readonly inboxSeq: number }> {
    return this.network.ask('pending', () => this.inbox.pending(runId));
  }

  override discard(claim: Claim, rowIds: readonly number[]): Promise<void> {
    return this.network.ask('discard', () => this.inbox.discard(claim, rowIds));
  }
}
