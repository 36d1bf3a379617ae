/**
 * The record in memory: every table as a map, and one synchronous transaction per method.
 *
 * Decided here: which rows change together, and the indexes that keep hot operations free of scans. What each
 * operation promises is said by the ports; the adapters of this folder only call it. It forgets all with the process.
 */
import type { IdempotencyKey, IdempotencyRow } from '../../platform/ports/idempotency.store.js';
import type { ApiKey } from '../../platform/ports/key.store.js';
import type { Clock } from '../../platform/clock/clock.js';
import type { EncodedEvent } from '../../runs/domain/run.events.js';
import type { RunStatus } from '../../runs/domain/run.status.js';
import type { RunSummary } from '../../runs/domain/summary.js';
import type { Approval } from '../../approvals/approval.store.js';
import type { InboxEntry, InboxRow } from '../../runs/run.inbox.js';
import type { Claim } from '../../runs/domain/claim.js';
import type {
  AlsoRow,
  Append,
  AppendResult,
  ApprovalClosing,
  AuditRow,
  BlobUse,
  Checkpoint,
  CreateResult,
  Creation,
  NewRun,
  Settlement,
} from '../../runs/run.store.js';

/** A run row with its log, inbox and checkpoint. Only the record changes one. */
export interface RunEntry {
  readonly run: NewRun;
  /** The event of sequence number n stands at n - 1. */
  readonly events: EncodedEvent[];
  /** The append that wrote the event at the same place. */
  readonly appendIds: string[];
  inbox: readonly InboxRow[];
  inboxSeq: number;
  summary: RunSummary;
  wakeAt: number | undefined;
  epoch: number;
  ownerId: string | undefined;
  checkpoint: Checkpoint | undefined;
}

/** The events of one append, in the order of appends over all runs. */
export interface LoggedAppend {
  readonly namespace: string;
  readonly events: readonly EncodedEvent[];
}

/** A blob, and when it was put last. */
export interface Blob {
  readonly content: Uint8Array;
  readonly at: number;
}

/** What may change of a run row beside its log. */
type RowChange = Partial<Pick<RunEntry, 'summary' | 'wakeAt' | 'epoch' | 'ownerId'>>;

export class MemoryRecord {
  readonly runs = new Map<string, RunEntry>();
  readonly log: LoggedAppend[] = [];
  /** When each lease runs out; a retired one has run out for ever. */
  readonly leases = new Map<string, number>();
  readonly idempotency = new Map<string, IdempotencyRow>();
  readonly settlements = new Map<string, Settlement>();
  readonly audits = new Map<string, AuditRow>();
  readonly approvals = new Map<string, Approval>();
  readonly keysByHash = new Map<string, ApiKey>();
  /** By namespace and hash. */
  readonly blobs = new Map<string, Blob>();
  /** Runs that refer to a blob, by namespace and hash. */
  readonly blobUsers = new Map<string, Set<string>>();

  private readonly owned = new Map<string, Set<RunEntry>>();
  private readonly waking = new Set<RunEntry>();
  private readonly statusCounts = new Map<RunStatus, number>();
  private queued = 0;
  private lastInboxId = 0;

  constructor(readonly clock: Clock) {}

  /** Free runs that have a `wakeAt`. */
  get wakingRuns(): ReadonlySet<RunEntry> {
    return this.waking;
  }

  get counts(): ReadonlyMap<RunStatus, number> {
    return this.statusCounts;
  }

  ownedBy(ownerId: string): ReadonlySet<RunEntry> {
    return this.owned.get(ownerId) ?? NO_RUNS;
  }

  isLive(ownerId: string): boolean {
    return (this.leases.get(ownerId) ?? -Infinity) > this.clock.now();
  }

  findIn(namespace: string, runId: string): RunEntry | undefined {
    const entry = this.runs.get(runId);
    return entry?.run.namespace === namespace ? entry : undefined;
  }

  /** The run that a claim still holds. */
  findClaimed({ runId, ownerId, epoch }: Claim): RunEntry | undefined {
    const entry = this.runs.get(runId);
    return entry?.ownerId === ownerId && entry.epoch === epoch ? entry : undefined;
  }

  create(creation: Creation): CreateResult {
    assertNumbered(creation.run.events, 0);
    const refusal = this.findRefusal(creation);
    if (refusal !== undefined) return refusal;
    this.insertRun(creation.run, creation.ownerId);
    if (creation.idempotency !== undefined) this.putIdempotency(creation.idempotency);
    this.writeAlso(creation.also);
    return { outcome: 'created' };
  }

  append(append: Append): AppendResult {
    assertNumbered(append.events, append.expectedSeq);
    const entry = this.findIn(append.namespace, append.claim.runId);
    if (entry === undefined) return REFUSED;
    if (entry.epoch !== append.claim.epoch || entry.events.length !== append.expectedSeq) return REFUSED;
    this.writeEvents(entry, append.events, append.appendId);
    consume(entry, append.consumedInbox);
    this.change(entry, this.changeOf(entry, append.summary));
    this.writeAlso(append.also);
    return { outcome: 'appended', inboxSeq: entry.inboxSeq };
  }

  putInbox(entry: InboxEntry): boolean {
    const run = this.findIn(entry.namespace, entry.runId);
    if (run === undefined) return false;
    run.inbox = [...run.inbox, { ...entry, id: ++this.lastInboxId }];
    run.inboxSeq += 1;
    this.change(run, { wakeAt: this.clock.now() });
    return true;
  }

  discard(claim: Claim, rowIds: readonly number[]): void {
    const entry = this.findClaimed(claim);
    if (entry !== undefined) consume(entry, rowIds);
  }

  /** Whether the log has events of a run behind its first `read` appends. */
  isUnread(runId: string, read: number): boolean {
    return this.log.slice(read).some(({ events }) => events[0]?.event.runId === runId);
  }

  hasBlobs(runId: string): boolean {
    return [...this.blobUsers.values()].some((users) => users.has(runId));
  }

  /** Forgets a run and everything that is its own. Appends of others keep their places in the log. */
  purge(entry: RunEntry): void {
    const { id, namespace } = entry.run;
    this.takeOut(entry);
    this.runs.delete(id);
    for (const [place, append] of this.log.entries())
      if (append.events[0]?.event.runId === id) this.log[place] = { namespace, events: [] };
    for (const [key, row] of this.idempotency) if (row.runId === id) this.idempotency.delete(key);
    for (const [key, approval] of this.approvals) if (approval.runId === id) this.approvals.delete(key);
  }

  /** Changes a run row and keeps the indexes true. */
  change(entry: RunEntry, change: RowChange): void {
    this.takeOut(entry);
    Object.assign(entry, change);
    this.putIn(entry);
  }

  findIdempotency(key: IdempotencyKey, now: number): IdempotencyRow | undefined {
    const row = this.idempotency.get(idempotencyId(key));
    return row !== undefined && row.expiresAt > now ? row : undefined;
  }

  putIdempotency(row: IdempotencyRow): void {
    this.idempotency.set(idempotencyId(row), row);
  }

  putBlob(namespace: string, hash: string, blob: Blob): void {
    const id = blobId(namespace, hash);
    this.blobs.set(id, {
      content: this.blobs.get(id)?.content ?? Uint8Array.from(blob.content),
      at: blob.at,
    });
  }

  private useBlob({ namespace, runId, hash, content, at }: BlobUse): void {
    if (content !== undefined) this.putBlob(namespace, hash, { content, at });
    const users = this.blobUsers.get(blobId(namespace, hash));
    if (users === undefined) this.blobUsers.set(blobId(namespace, hash), new Set([runId]));
    else users.add(runId);
  }

  private findRefusal({ run, idempotency, maxQueued }: Creation): CreateResult | undefined {
    if (this.runs.has(run.id)) return { outcome: 'exists' };
    const used = idempotency && this.findIdempotency(idempotency, idempotency.createdAt);
    if (used !== undefined) return { outcome: 'key_used', row: used };
    if (maxQueued === undefined || this.queued < maxQueued) return undefined;
    return { outcome: 'queue_full', queued: this.queued };
  }

  private insertRun(run: NewRun, ownerId: string | undefined): void {
    const owner = ownerId !== undefined && this.isLive(ownerId) ? ownerId : undefined;
    const late = ownerId !== undefined && owner === undefined;
    const entry: RunEntry = {
      run,
      events: [],
      appendIds: [],
      inbox: [],
      inboxSeq: 0,
      summary: run.summary,
      wakeAt: late ? this.sooner(run.summary.wakeAt) : run.summary.wakeAt,
      epoch: ownerId === undefined ? 0 : 1,
      ownerId: owner,
      checkpoint: undefined,
    };
    this.runs.set(run.id, entry);
    this.putIn(entry);
    this.writeEvents(entry, run.events, run.appendId);
  }

  private writeEvents(entry: RunEntry, events: readonly EncodedEvent[], appendId: string): void {
    for (const event of events) {
      entry.events.push(event);
      entry.appendIds.push(appendId);
    }
    this.log.push({ namespace: entry.run.namespace, events });
  }

  private changeOf(entry: RunEntry, summary: RunSummary): RowChange {
    const staysDue = entry.inbox.length > 0 || entry.ownerId === undefined;
    const wakeAt = staysDue ? this.sooner(summary.wakeAt) : summary.wakeAt;
    return summary.endedAt === undefined ? { summary, wakeAt } : { summary, wakeAt, ownerId: undefined };
  }

  private sooner(wakeAt: number | undefined): number {
    return Math.min(wakeAt ?? Infinity, this.clock.now());
  }

  private writeAlso(rows: readonly AlsoRow[] | undefined): void {
    for (const also of rows ?? []) this.writeRow(also);
  }

  private endApproval({ at, ...end }: ApprovalClosing): void {
    for (const [id, approval] of this.approvals) {
      const isMeant = approval.runId === end.runId && approval.path === end.path;
      if (isMeant && approval.namespace === end.namespace && approval.status === 'open')
        this.approvals.set(id, { ...approval, ...end, resolvedAt: at });
    }
  }

  private writeRow(also: AlsoRow): void {
    switch (also.kind) {
      case 'run':
        if (!this.runs.has(also.run.id)) this.insertRun(also.run, undefined);
        break;
      case 'inbox':
        if (this.runs.get(also.entry.runId)?.summary.endedAt === undefined) this.putInbox(also.entry);
        break;
      case 'idempotency':
        this.putIdempotency(also.row);
        break;
      case 'approval':
        addOnce(this.approvals, also.row.id, { ...also.row, status: 'open' });
        break;
      case 'approval-end':
        this.endApproval(also.end);
        break;
      case 'blob':
        this.useBlob(also.use);
        break;
      case 'settlement':
        addOnce(this.settlements, also.row.reservationId, also.row);
        break;
      case 'audit':
        addOnce(this.audits, also.row.id, also.row);
        break;
    }
  }

  private takeOut(entry: RunEntry): void {
    this.count(entry, -1);
    if (entry.ownerId === undefined) this.waking.delete(entry);
    else this.disown(entry, entry.ownerId);
  }

  private putIn(entry: RunEntry): void {
    this.count(entry, 1);
    if (entry.ownerId !== undefined) this.own(entry, entry.ownerId);
    else if (entry.wakeAt !== undefined) this.waking.add(entry);
  }

  private count(entry: RunEntry, by: 1 | -1): void {
    const { status } = entry.summary;
    this.statusCounts.set(status, (this.statusCounts.get(status) ?? 0) + by);
    const isStart = entry.run.parentId === undefined;
    if (status === 'queued' && isStart && entry.ownerId === undefined) this.queued += by;
  }

  private own(entry: RunEntry, ownerId: string): void {
    const runs = this.owned.get(ownerId);
    if (runs === undefined) this.owned.set(ownerId, new Set([entry]));
    else runs.add(entry);
  }

  private disown(entry: RunEntry, ownerId: string): void {
    const runs = this.owned.get(ownerId);
    runs?.delete(entry);
    if (runs?.size === 0) this.owned.delete(ownerId);
  }
}

const REFUSED: AppendResult = { outcome: 'refused' };
const NO_RUNS: ReadonlySet<RunEntry> = new Set();

/** No hash holds a slash. */
export function blobId(namespace: string, hash: string): string {
  return `${namespace}/${hash}`;
}

/** Namespace and operation hold no line feed, so no two keys share an id. */
export function idempotencyId({ namespace, operation, key }: IdempotencyKey): string {
  return `${namespace}\n${operation}\n${key}`;
}

function assertNumbered(events: readonly EncodedEvent[], afterSeq: number): void {
  const isNumbered = events.every(({ event }, index) => event.seq === afterSeq + index + 1);
  if (events.length === 0 || !isNumbered) {
    throw new RangeError(`Expected events numbered from ${String(afterSeq + 1)} without a gap.`);
  }
}

function consume(entry: RunEntry, ids: readonly number[]): void {
  if (ids.length > 0) entry.inbox = entry.inbox.filter((row) => !ids.includes(row.id));
}

function addOnce<T>(table: Map<string, T>, id: string, row: T): void {
  if (!table.has(id)) table.set(id, row);
}
