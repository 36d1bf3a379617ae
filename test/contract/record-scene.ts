/**
 * What a contract suite of the record needs from an engine, and the scenes that its cases begin with.
 *
 * An engine gives every test an empty record. Where its clock can be stepped, waiting costs nothing; elsewhere a case
 * waits for the record's own time, so the times below are short.
 */
import type { MetricStore } from '../../src/metrics/metric.store.js';
import type { AgentStore } from '../../src/agents/agent.store.js';
import type { ApprovalStore } from '../../src/approvals/approval.store.js';
import type { SecretStore } from '../../src/access/secret.store.js';
import type { TaskStore } from '../../src/agents/task.store.js';
import type { IdempotencyRow, IdempotencyStore } from '../../src/platform/ports/idempotency.store.js';
import type { DutyStore } from '../../src/platform/ports/duty.store.js';
import type { BlobStore } from '../../src/platform/ports/blob.store.js';
import type { KeyStore } from '../../src/platform/ports/key.store.js';
import type { LogCursorStore } from '../../src/runs/log-cursor.store.js';
import type { Limiter } from '../../src/platform/ports/limiter.js';
import type { RetentionStore } from '../../src/runs/retention.store.js';
import type { RunCatalogue, RunRow } from '../../src/runs/run.catalogue.js';
import type { RunInbox } from '../../src/runs/run.inbox.js';
import type { RunLease } from '../../src/runs/run.lease.js';
import type { RunLog } from '../../src/runs/run.log.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import type { AlsoRow, NewRun, RunStore } from '../../src/runs/run.store.js';
import type { ScheduleStore } from '../../src/schedules/schedule.store.js';
import type { TemplateStore } from '../../src/templates/template.store.js';
import type { WorkflowStore } from '../../src/workflows/workflow.store.js';
import { aRun, aRunId } from '../support/a-run.js';
import { until } from '../support/until.js';

/** All ports of one record. */
export interface Stores {
  readonly runs: RunStore;
  readonly lease: RunLease;
  readonly duties: DutyStore;
  readonly inbox: RunInbox;
  readonly catalogue: RunCatalogue;
  readonly log: RunLog;
  readonly idempotency: IdempotencyStore;
  readonly keys: KeyStore;
  readonly blobs: BlobStore;
  readonly templates: TemplateStore;
  readonly metrics: MetricStore;
  readonly cursors: LogCursorStore;
  readonly agents: AgentStore;
  readonly workflows: WorkflowStore;
  readonly secrets: SecretStore;
  readonly limiter: Limiter;
  readonly tasks: TaskStore;
  readonly schedules: ScheduleStore;
  readonly approvals: ApprovalStore;
  readonly retention: RetentionStore;
  /** The record's own time, in milliseconds since the epoch. */
  now(): Promise<number>;
  /** Moves the record's time on; absent where only waiting does. */
  advance?(ms: number): void;
  /** Waits until everything committed is below the horizon; absent where nothing can hold that back. */
  settle?(): Promise<void>;
  /** How many rows there are of a kind that no port reads. */
  count(kind: 'settlement' | 'audit'): Promise<number>;
}

/** An engine under test. */
export interface RecordEngine {
  readonly name: string;
  /** An empty record. Called before each test. */
  create(): Promise<Stores>;
  /** Called after each test. */
  destroy(): Promise<void>;
}

/** Longer than any test, and a time that a test can wait for. */
export const LONG_TTL_MS = 600_000;
export const SHORT_MS = 40;

/** The stores of the present test and what cases begin with. */
export class RecordScene<S extends Stores = Stores> {
  private present: S | undefined;
  private ownerCount = 0;

  get stores(): S {
    if (this.present === undefined) throw new Error('There is no record before the first test.');
    return this.present;
  }

  set stores(stores: S) {
    this.present = stores;
  }

  /** Waits until readers across runs see everything committed. */
  async settle(): Promise<void> {
    await this.stores.settle?.();
  }

  /** A registered owner whose lease outlives the test. */
  async owner(ttlMs = LONG_TTL_MS): Promise<string> {
    const ownerId = `own_${String(++this.ownerCount).padStart(32, '0')}`;
    await this.stores.lease.renew(ownerId, ttlMs);
    return ownerId;
  }

  /** An owner whose lease has run out and was not retired. */
  async deadOwner(): Promise<string> {
    const ownerId = await this.owner();
    await this.expire(ownerId);
    return ownerId;
  }

  /** Lets the lease of a live owner run out. */
  async expire(ownerId: string): Promise<void> {
    expect(await this.stores.lease.renew(ownerId, 1)).toMatchObject({ held: true });
    await this.passTime(2);
  }

  /** A run that nobody owns, due at once. */
  async freeRun(fields: Partial<NewRun> = {}): Promise<NewRun> {
    const run = aRun(fields);
    expect(await this.stores.runs.create({ run })).toEqual({ outcome: 'created' });
    return run;
  }

  /** A run that an owner claimed. */
  async claimedRun(ownerId?: string, fields: Partial<NewRun> = {}): Promise<Claim> {
    const run = await this.freeRun(fields);
    return this.claim(run.id, ownerId ?? (await this.owner()));
  }

  /** Claims a run, which must succeed. */
  async claim(runId: string, ownerId: string): Promise<Claim> {
    const claimed = await this.stores.lease.claim(runId, ownerId);
    if (claimed === undefined) throw new Error(`The claim of ${runId} was refused.`);
    return claimed.claim;
  }

  /** The row of a run, which must exist. */
  async row(runId: string, namespace = 'default'): Promise<RunRow> {
    const row = await this.stores.catalogue.find(namespace, runId);
    if (row === undefined) throw new Error(`There is no run ${runId}.`);
    return row;
  }

  /** The JSON text of all events of a run, in order. */
  async texts(runId: string, namespace = 'default'): Promise<readonly string[]> {
    const page = await this.stores.runs.read(namespace, runId, { afterSeq: 0, limit: 1_000 });
    return (page?.events ?? []).map(({ text }) => text);
  }

  /** Ids of all runs that are due now, most urgent first. */
  async dueIds(limit = 100): Promise<readonly string[]> {
    const due = await this.stores.lease.due(limit);
    return due.runs.map(({ runId }) => runId);
  }

  /** Puts a cancel into a run's inbox. */
  async putCancel(runId: string, reason = 'told to'): Promise<boolean> {
    const command = { type: 'cancel', reason } as const;
    return this.stores.inbox.put({ namespace: 'default', runId, command, at: await this.stores.now() });
  }

  /** Lets the record's time pass. */
  async passTime(ms: number): Promise<void> {
    const { stores } = this;
    if (stores.advance !== undefined) {
      stores.advance(ms);
      return;
    }
    const end = (await stores.now()) + ms;
    await until(async () => (await stores.now()) >= end, `the record's time has moved by ${ms} ms`);
  }

  /** A row of an idempotency key that holds for a day. */
  async idempotencyRow(fields: Partial<IdempotencyRow> = {}): Promise<IdempotencyRow> {
    const createdAt = await this.stores.now();
    return {
      namespace: 'default',
      operation: 'POST /api/v1/runs',
      key: 'key-1',
      bodyHash: 'a'.repeat(64),
      createdAt,
      expiresAt: createdAt + 86_400_000,
      ...fields,
    };
  }

  /** One `also` row of every kind, and the way to count how many of them are there. */
  async alsoRows(): Promise<{ readonly rows: readonly AlsoRow[]; readonly present: () => Promise<number> }> {
    const { stores } = this;
    const parent = await this.freeRun();
    const child = aRun({ parentId: parent.id });
    const key = await this.idempotencyRow({ key: aRunId(), runId: child.id });
    const [id, namespace, at] = [aRunId(), 'default', key.createdAt];
    const rows: readonly AlsoRow[] = [
      { kind: 'run', run: child },
      { kind: 'inbox', entry: { namespace, runId: parent.id, command: { type: 'resume' }, at } },
      { kind: 'idempotency', row: key },
      { kind: 'settlement', row: { reservationId: id, namespace, scope: 'run', costMicros: 7, at } },
      { kind: 'audit', row: { id, namespace, actor: 'a', action: 'b', target: 'c', details: {}, at } },
    ];
    const before = (await stores.count('settlement')) + (await stores.count('audit'));
    const present = async (): Promise<number> => {
      const found = [
        (await stores.catalogue.find(namespace, child.id)) !== undefined,
        (await stores.inbox.pending(parent.id)).rows.length > 0,
        (await stores.idempotency.find(key, at)) !== undefined,
      ];
      const counted = (await stores.count('settlement')) + (await stores.count('audit'));
      return found.filter(Boolean).length + counted - before;
    };
    return { rows, present };
  }
}

/** Gives every test of the present `describe` an empty record. */
export function useRecord<S extends Stores>(engine: {
  create(): Promise<S>;
  destroy(): Promise<void>;
}): RecordScene<S> {
  const scene = new RecordScene<S>();
  beforeEach(async () => {
    scene.stores = await engine.create();
  });
  afterEach(() => engine.destroy());
  return scene;
}

/** Makes an owner in a scene; resolves with its id. */
type MakeOwner = (scene: RecordScene) => Promise<string>;

/** Why a lease does not hold, and an owner that has none for that reason. */
export const OWNERS_WITHOUT_LEASE: readonly [why: string, make: MakeOwner][] = [
  ['was never registered', (): Promise<string> => Promise.resolve('own_unknown')],
  ['has run out', (scene: RecordScene): Promise<string> => scene.deadOwner()],
  [
    'was retired',
    async (scene: RecordScene): Promise<string> => {
      const ownerId = await scene.owner();
      await scene.stores.lease.retire({ ownerId });
      return ownerId;
    },
  ],
];
