import { sql, type RawBuilder } from 'kysely';

import type { NewTask, Task, TaskOutcome } from '../../agents/domain/task.js';
import { TaskStore, type Expiry, type LeaseOrder } from '../../agents/task.store.js';
import type { Failure } from '../../kernel/failure.js';
import { present } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { TasksTable } from './tables.js';

/** What names a lease. */
interface LeaseName {
  readonly namespace: string;
  readonly token_hash: string;
}

interface TaskName {
  readonly namespace: string;
  readonly id: string;
}

/** How many open tasks of a run are looked at. */
const MAX_OPEN = 1_000;

/** How many leases that ran out are taken back in one write. */
const MAX_EXPIRED = 500;

export class SqlTaskStore extends TaskStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly now = (): RawBuilder<number> => this.database.dialect.now();

  private readonly insert = this.database.prepare(
    'task.create',
    (p: Slots<TasksTable>) => sql`
    insert into tasks (id, namespace, agent_key, lineage, input, idempotency_key, attempt, run_id, step_id,
      heartbeat_timeout_ms, max_deliveries, created_at, status, deliveries)
    values (${p.id}, ${p.namespace}, ${p.agent_key}, ${p.lineage}, ${p.input}, ${p.idempotency_key}, ${p.attempt},
      ${p.run_id}, ${p.step_id}, ${p.heartbeat_timeout_ms}, ${p.max_deliveries}, ${p.created_at}, 'queued', 0)
    on conflict do nothing`,
  );

  private readonly findLineage = this.database.prepare(
    'task.find-lineage',
    (p: Slots<Pick<TasksTable, 'namespace' | 'lineage'>>) => sql<TasksTable>`
    select * from tasks
    where namespace = ${p.namespace} and lineage = ${p.lineage} and status <> 'cancelled'`,
  );

  private readonly findId = this.database.prepare('task.find', (p: Slots<TaskName>) =>
    this.database.kysely
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', p.id)
      .where('namespace', '=', p.namespace),
  );

  private readonly findOpen = this.database.prepare(
    'task.open-of-run',
    (p: Slots<{ readonly namespace: string; readonly run_id: string }>) => sql<TasksTable>`
    select * from tasks
    where run_id = ${p.run_id} and namespace = ${p.namespace} and status in ('queued', 'leased')
    order by id limit ${sql.lit(MAX_OPEN)}`,
  );

  private readonly findToken = this.database.prepare('task.find-token', (p: Slots<LeaseName>) =>
    this.database.kysely
      .selectFrom('tasks')
      .selectAll()
      .where('token_hash', '=', p.token_hash)
      .where('namespace', '=', p.namespace),
  );

  private readonly findQueued = this.database.prepare(
    'task.queued',
    (p: Slots<{ readonly namespace: string; readonly agent_key: string; readonly limit: number }>) =>
      sql<{ readonly id: string }>`
    select id from tasks
    where namespace = ${p.namespace} and agent_key = ${p.agent_key} and status = 'queued'
    order by id limit ${p.limit}`,
  );

  /** Nothing where another caller was faster. */
  private readonly take = this.database.prepare(
    'task.lease',
    (p: Slots<{ readonly id: string; readonly token_hash: string }>) => sql<TasksTable>`
    update tasks set status = 'leased', deliveries = deliveries + 1, token_hash = ${p.token_hash},
      lease_until = ${this.now()} + heartbeat_timeout_ms
    where id = ${p.id} and status = 'queued'
    returning *`,
  );

  private readonly putBack = this.database.prepare(
    'task.release',
    (p: Slots<LeaseName>) => sql`
    update tasks set status = 'queued', deliveries = deliveries - 1, token_hash = null, lease_until = null
    where token_hash = ${p.token_hash} and namespace = ${p.namespace} and status = 'leased'`,
  );

  private readonly prolong = this.database.prepare(
    'task.extend',
    (p: Slots<LeaseName>) => sql<TasksTable>`
    update tasks set lease_until = ${this.now()} + heartbeat_timeout_ms
    where token_hash = ${p.token_hash} and namespace = ${p.namespace} and status = 'leased'
      and lease_until > ${this.now()}
    returning *`,
  );

  private readonly finish = this.database.prepare(
    'task.end',
    (p: Slots<LeaseName & { readonly status: string; readonly outcome: string }>) => sql`
    update tasks set status = ${p.status}, outcome = ${p.outcome}, ended_at = ${this.now()}
    where token_hash = ${p.token_hash} and namespace = ${p.namespace} and status = 'leased'
      and lease_until > ${this.now()}`,
  );

  private readonly revoke = this.database.prepare(
    'task.cancel',
    (p: Slots<TaskName>) => sql`
    update tasks set status = 'cancelled', ended_at = ${this.now()}
    where id = ${p.id} and namespace = ${p.namespace} and status in ('queued', 'leased')`,
  );

  private readonly failSpent = this.database.prepare(
    'task.expire-spent',
    (p: Slots<{ readonly outcome: string }>) => sql<TasksTable>`
    update tasks set status = 'failed', outcome = ${p.outcome}, ended_at = ${this.now()}, token_hash = null,
      lease_until = null
    where ${this.isOver()} and deliveries >= max_deliveries
    returning *`,
  );

  private readonly requeue = this.database.prepare(
    'task.expire',
    () => sql<TasksTable>`
    update tasks set status = 'queued', token_hash = null, lease_until = null
    where ${this.isOver()} and deliveries < max_deliveries
    returning *`,
  );

  private readonly findNext = this.database.prepare(
    'task.next-expiry',
    () => sql<{ readonly in_ms: number | null }>`
    select min(lease_until) - ${this.now()} as in_ms from tasks where status = 'leased'`,
  );

  private readonly remove = this.database.prepare(
    'task.purge',
    (p: Slots<{ readonly before: number; readonly limit: number }>) => sql`
    delete from tasks where id in (
      select id from tasks where ended_at is not null and ended_at < ${p.before} order by ended_at limit ${p.limit})`,
  );

  override async create(task: NewTask): Promise<Task> {
    const { namespace, lineage } = task;
    const outcome = await this.database.write({
      statements: [this.insert.bind(columnsOf(task)), this.findLineage.bind({ namespace, lineage })],
    });
    const [row] = this.findLineage.rowsIn(outcome, 1);
    if (row === undefined) throw new Error(`task ${task.id} was neither added nor found`);
    return taskOf(row);
  }

  override async find(namespace: string, id: string): Promise<Task | undefined> {
    const [row] = await this.database.read(this.findId.bind({ namespace, id }));
    return row && taskOf(row);
  }

  override async openOf(namespace: string, runId: string): Promise<readonly Task[]> {
    return (await this.database.read(this.findOpen.bind({ namespace, run_id: runId }))).map(taskOf);
  }

  override async findByToken(namespace: string, tokenHash: string): Promise<Task | undefined> {
    const [row] = await this.database.read(this.findToken.bind({ namespace, token_hash: tokenHash }));
    return row && taskOf(row);
  }

  override async lease({ namespace, agentKey, tokenHashes }: LeaseOrder): Promise<readonly Task[]> {
    const limit = tokenHashes.length;
    const queued = await this.database.read(this.findQueued.bind({ namespace, agent_key: agentKey, limit }));
    if (queued.length === 0) return [];
    const statements = queued.map(({ id }, index) =>
      this.take.bind({ id, token_hash: tokenHashes[index] ?? '' }),
    );
    const outcome = await this.database.write({ statements });
    return statements.flatMap((_, index) => this.take.rowsIn(outcome, index).map(taskOf));
  }

  override async release(namespace: string, tokenHashes: readonly string[]): Promise<void> {
    const statements = tokenHashes.map((hash) => this.putBack.bind({ namespace, token_hash: hash }));
    if (statements.length > 0) await this.database.write({ statements });
  }

  override async extend(namespace: string, tokenHash: string): Promise<Task | undefined> {
    const statement = this.prolong.bind({ namespace, token_hash: tokenHash });
    const [row] = this.prolong.rowsIn(await this.database.write({ statements: [statement] }), 0);
    return row && taskOf(row);
  }

  override async end(namespace: string, tokenHash: string, outcome: TaskOutcome): Promise<boolean> {
    const values = {
      namespace,
      token_hash: tokenHash,
      status: outcome.status,
      outcome: JSON.stringify(outcome),
    };
    const { results } = await this.database.write({ statements: [this.finish.bind(values)] });
    return (results[0]?.changes ?? 0) > 0;
  }

  override async cancel(namespace: string, id: string): Promise<boolean> {
    const { results } = await this.database.write({ statements: [this.revoke.bind({ namespace, id })] });
    return (results[0]?.changes ?? 0) > 0;
  }

  /** Leases are taken back one write after the other; one read says when nothing has run out. */
  override async expire(failure: Failure): Promise<Expiry> {
    const next = await this.nextInMs();
    if (next === undefined || next > 0) return expiryOf([], [], next);
    const outcome: TaskOutcome = { status: 'failed', failure };
    const written = await this.database.write({
      statements: [this.failSpent.bind({ outcome: JSON.stringify(outcome) }), this.requeue.bind({})],
    });
    const failed = this.failSpent.rowsIn(written, 0).map(taskOf);
    const requeued = this.requeue.rowsIn(written, 1).map(taskOf);
    return expiryOf(requeued, failed, await this.nextInMs());
  }

  override async purge(endedBefore: number, limit: number): Promise<number> {
    const { results } = await this.database.write({
      statements: [this.remove.bind({ before: endedBefore, limit })],
    });
    return results[0]?.changes ?? 0;
  }

  /** Looked at again once the row is ours: it may have been taken back and leased anew meanwhile. */
  private isOver(): RawBuilder<boolean> {
    return sql<boolean>`id in (select id from tasks where status = 'leased' and lease_until <= ${this.now()}
      order by lease_until limit ${sql.lit(MAX_EXPIRED)}) and status = 'leased' and lease_until <= ${this.now()}`;
  }

  private async nextInMs(): Promise<number | undefined> {
    const [row] = await this.database.read(this.findNext.bind({}));
    return row?.in_ms ?? undefined;
  }
}

function expiryOf(requeued: readonly Task[], failed: readonly Task[], nextInMs: number | undefined): Expiry {
  return { requeued, failed, ...(nextInMs !== undefined && { nextInMs }) };
}

function columnsOf(task: NewTask): TasksTable {
  return {
    id: task.id,
    namespace: task.namespace,
    agent_key: task.agentKey,
    lineage: task.lineage,
    input: JSON.stringify(task.input),
    idempotency_key: task.idempotencyKey,
    attempt: task.attempt,
    run_id: task.runId ?? null,
    step_id: task.stepId ?? null,
    heartbeat_timeout_ms: task.heartbeatTimeoutMs,
    max_deliveries: task.maxDeliveries,
    created_at: task.createdAt,
    status: 'queued',
    deliveries: 0,
    token_hash: null,
    lease_until: null,
    outcome: null,
    ended_at: null,
  };
}

function taskOf(row: TasksTable): Task {
  return {
    id: row.id,
    namespace: row.namespace,
    agentKey: row.agent_key,
    lineage: row.lineage,
    input: JSON.parse(row.input) as Task['input'],
    idempotencyKey: row.idempotency_key,
    attempt: row.attempt,
    ...present('runId', row.run_id),
    ...present('stepId', row.step_id),
    heartbeatTimeoutMs: row.heartbeat_timeout_ms,
    maxDeliveries: row.max_deliveries,
    createdAt: row.created_at,
    status: row.status,
    deliveries: row.deliveries,
    ...present('tokenHash', row.token_hash),
    ...present('leaseUntil', row.lease_until),
    ...present('outcome', row.outcome === null ? null : (JSON.parse(row.outcome) as TaskOutcome)),
    ...present('endedAt', row.ended_at),
  };
}
