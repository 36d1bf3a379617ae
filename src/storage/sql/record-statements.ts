/**
 * The statements that write the record: what the units of `create`, `append` and `put` have in common.
 *
 * Decided here: which rows a run, an inbox entry and the other rows of a unit become. Decided elsewhere: what makes
 * a unit hold (sql-run.store.ts, unit-appends.ts).
 */
import {
  sql,
  type OnConflictDatabase,
  type OnConflictTables,
  type OnConflictUpdateBuilder,
  type RawBuilder,
} from 'kysely';

import type { IdempotencyRow } from '../../platform/ports/idempotency.store.js';
import type { InboxEntry } from '../../runs/run.inbox.js';
import type { AlsoRow, AuditRow, NewRun, Settlement } from '../../runs/run.store.js';
import { ApprovalStatements } from './approval-statements.js';
import { BlobStatements } from './blob-statements.js';
import { idempotencyColumns, joinEvents, newRunColumns, type NewRunColumns } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { RunAppendsTable, RunTagsTable } from './run-tables.js';
import type { AuditLogTable, BudgetSettlementsTable, IdempotencyKeysTable, Tables } from './tables.js';
import type { Slots, Statement } from './statement.js';

export type AppendColumns = Omit<RunAppendsTable, 'position'>;

/** What a creation asks for; null where it does not. */
export interface Admission {
  readonly max_queued: number | null;
  /** The idempotency key, and the time at which another row of it must have run out. */
  readonly key_namespace: string | null;
  readonly operation: string | null;
  readonly key: string | null;
  readonly asked_at: number | null;
}

type KeyUpdate = OnConflictUpdateBuilder<
  OnConflictDatabase<Tables, 'idempotency_keys'>,
  OnConflictTables<'idempotency_keys'>
>;

interface InboxColumns {
  readonly namespace: string;
  readonly run_id: string;
  readonly command: string;
  readonly at: number;
}

type InboxKey = Pick<InboxColumns, 'namespace' | 'run_id'>;

function inboxColumns({ namespace, runId, command, at }: InboxEntry): InboxColumns {
  return { namespace, run_id: runId, command: JSON.stringify(command), at };
}

/** Any number that no other advisory lock of the database has. */
const QUEUE_LOCK = 0x656e_7171;
/** More than creations that can be under way at once in a usual deployment. */
const FEW_PLACES = 64;

const UNCONDITIONAL: Admission = {
  max_queued: null,
  key_namespace: null,
  operation: null,
  key: null,
  asked_at: null,
};

const RUN_COLUMNS = [
  'id',
  'namespace',
  'name',
  'workflow_id',
  'workflow_version',
  'priority',
  'tags',
  'parent_id',
  'created_at',
  'status',
  'started_at',
  'ended_at',
  'steps_total',
  'steps_completed',
  'steps_failed',
  'steps_skipped',
  'input_tokens',
  'output_tokens',
  'cost_micros',
  'failure_code',
  'failure_message',
  'last_seq',
  'epoch',
] as const satisfies readonly (keyof NewRunColumns)[];

/** The earlier of a time and now; now where there is none. */
export function sooner(wakeAt: unknown, now: () => RawBuilder<number>): RawBuilder<number> {
  return sql<number>`case when ${wakeAt} < ${now()} then ${wakeAt} else ${now()} end`;
}

function wakeUnlessOwned(p: Slots<NewRunColumns>, owner: RawBuilder<string>, now: () => RawBuilder<number>) {
  return sql`case when cast(${p.owner_id} as text) is null or ${owner} is not null
    then cast(${p.wake_at} as bigint) else ${sooner(p.wake_at, now)} end`;
}

function appendValues(p: Slots<AppendColumns>): AppendColumns {
  return {
    run_id: p.run_id,
    namespace: p.namespace,
    first_seq: p.first_seq,
    last_seq: p.last_seq,
    append_id: p.append_id,
    events: p.events,
  };
}

/** How many runs are queued and unclaimed, sub-runs aside; counted no further than `limit`. */
export function countQueued(limit: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`(select count(*) from (
    select 1 from runs where status = 'queued' and owner_id is null and parent_id is null
    limit ${limit}) as queued)`;
}

/** How many inbox rows a run of the surrounding statement has. */
export function countInbox(): RawBuilder<number> {
  return sql<number>`(select count(*) from run_inbox where run_inbox.run_id = runs.id)`;
}

export class RecordStatements {
  constructor(private readonly database: SqlDatabase) {}

  /**
   * The run row. Changes nothing when the queue is full, the key is taken or the id exists. An owner without a live
   * lease gets nothing: the run is then free and due at once.
   */
  readonly insertRun = this.database.prepare('run.insert', (p: Slots<NewRunColumns & Admission>) => {
    const { now } = this.database.dialect;
    const owner = sql<string>`(select id from owners where id = ${p.owner_id}
      and retired_at is null and expires_at > ${now()})`;
    const given = { owner_id: owner, wake_at: wakeUnlessOwned(p, owner, now) };
    const maxQueued = sql<number>`cast(${p.max_queued} as bigint)`;
    return this.database.kysely
      .insertInto('runs')
      .columns([...RUN_COLUMNS, 'owner_id', 'wake_at', 'inbox_seq', 'inbox_pending', 'updated_at'])
      .expression(
        sql`select ${sql.join(RUN_COLUMNS.map((column) => p[column]))}, ${given.owner_id}, ${given.wake_at}, 0, 0, ${now()}
          where (${maxQueued} is null or ${countQueued(maxQueued)} < ${maxQueued})
          and not exists (select 1 from idempotency_keys where namespace = ${p.key_namespace}
            and operation = ${p.operation} and key = ${p.key} and expires_at > ${p.asked_at})`,
      )
      .onConflict((conflict) => conflict.column('id').doNothing());
  });

  private readonly approvals = new ApprovalStatements(this.database);

  private readonly blobs = new BlobStatements(this.database);

  private readonly lockQueue = this.prepareQueueLock();

  private readonly lockRows = this.prepareRowLock();

  /** The row of an append to a run whose row says that it comes next. */
  readonly insertAppend = this.database.prepare('append.insert', (p: Slots<AppendColumns>) =>
    this.database.kysely.insertInto('run_appends').values(appendValues(p)),
  );

  /** The row of the first append. If the run was there before, it stays as it is. */
  private readonly insertFirst = this.database.prepare('append.insert-first', (p: Slots<AppendColumns>) =>
    this.database.kysely
      .insertInto('run_appends')
      .values(appendValues(p))
      .onConflict((conflict) => conflict.columns(['run_id', 'first_seq']).doNothing()),
  );

  readonly insertTag = this.database.prepare('run.tag', (p: Slots<RunTagsTable>) =>
    this.database.kysely
      .insertInto('run_tags')
      .values({ namespace: p.namespace, tag: p.tag, run_id: p.run_id })
      .onConflict((conflict) => conflict.doNothing()),
  );

  /** Counts an inbox row and makes its run due. First in its unit: the lock on the run keeps the rows in order. */
  private readonly wakeRun = this.database.prepare('inbox.wake', (p: Slots<InboxKey>) => this.wake(p));

  /** The inbox row of a run that exists. */
  private readonly insertInbox = this.database.prepare('inbox.insert', (p: Slots<InboxColumns>) =>
    this.insertInboxWhere(p, sql``),
  );

  /** The same of a run that has not ended. */
  private readonly wakeOpen = this.database.prepare('inbox.wake-open', (p: Slots<InboxKey>) =>
    this.wake(p).where('ended_at', 'is', null),
  );

  private readonly insertOpenInbox = this.database.prepare('inbox.insert-open', (p: Slots<InboxColumns>) =>
    this.insertInboxWhere(p, sql`and ended_at is null`),
  );

  readonly deleteInbox = this.database.prepare(
    'inbox.delete',
    (p: Slots<{ readonly id: number; readonly run_id: string }>) =>
      this.database.kysely.deleteFrom('run_inbox').where('run_id', '=', p.run_id).where('id', '=', p.id),
  );

  /** Takes a key: a row of it that has run out is replaced, another one stays and nothing changes. */
  readonly takeKey = this.database.prepare('idempotency.take', (p: Slots<IdempotencyKeysTable>) =>
    this.putKey(p, (update) => update.where('idempotency_keys.expires_at', '<=', p.created_at)),
  );

  /** Writes a key, in place of the row that it may have. */
  private readonly replaceKey = this.database.prepare(
    'idempotency.replace',
    (p: Slots<IdempotencyKeysTable>) => this.putKey(p, (update) => update),
  );

  private readonly insertSettlement = this.database.prepare(
    'settlement.insert',
    (p: Slots<BudgetSettlementsTable>) =>
      this.database.kysely
        .insertInto('budget_settlements')
        .values({
          reservation_id: p.reservation_id,
          scope: p.scope,
          namespace: p.namespace,
          cost_micros: p.cost_micros,
          at: p.at,
        })
        .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly insertAudit = this.database.prepare('audit.insert', (p: Slots<AuditLogTable>) =>
    this.database.kysely
      .insertInto('audit_log')
      .values({
        id: p.id,
        namespace: p.namespace,
        actor: p.actor,
        action: p.action,
        target: p.target,
        details: p.details,
        at: p.at,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );

  /**
   * What goes before a creation that the queue may refuse: where other transactions could fill the last places at
   * the same time, those who see few places left count one after the other.
   */
  admit({ max_queued }: Admission): readonly Statement[] {
    if (max_queued === null || this.lockQueue === undefined) return [];
    return [this.lockQueue.bind({ max_queued })];
  }

  /** The rows of a new run; the first statement is the one that may refuse. */
  newRun(run: NewRun, ownerId?: string, admission: Admission = UNCONDITIONAL): readonly Statement[] {
    return [this.insertRun.guard({ ...newRunColumns(run, ownerId), ...admission }), ...this.restOfRun(run)];
  }

  /** What goes before a unit that changes several runs, this one and those that `also` wakes. */
  lockRuns(runId: string, also: readonly AlsoRow[]): readonly Statement[] {
    const others = also.flatMap((row) => (row.kind === 'inbox' ? [row.entry.runId] : []));
    if (others.length === 0 || this.lockRows === undefined) return [];
    return [this.lockRows.bind({ run_ids: [runId, ...others] })];
  }

  /** What `also` adds to a unit. None of it is a guard: a row that exists already stays. */
  also(rows: readonly AlsoRow[]): readonly Statement[] {
    return rows.flatMap((row) => this.alsoRow(row));
  }

  /** An inbox entry; writes nothing when the run does not exist in that namespace. */
  inbox(entry: InboxEntry): readonly Statement[] {
    const columns = inboxColumns(entry);
    return [this.wakeRun.bind(columns), this.insertInbox.bind(columns)];
  }

  /** The same beside events of another run; nothing where the run has ended: it would be claimed for nothing. */
  private openInbox(entry: InboxEntry): readonly Statement[] {
    const columns = inboxColumns(entry);
    return [this.wakeOpen.bind(columns), this.insertOpenInbox.bind(columns)];
  }

  private wake(p: Slots<InboxKey>) {
    return this.database.kysely
      .updateTable('runs')
      .set({
        inbox_seq: sql`inbox_seq + 1`,
        inbox_pending: sql`inbox_pending + 1`,
        wake_at: this.database.dialect.now(),
      })
      .where('id', '=', p.run_id)
      .where('namespace', '=', p.namespace);
  }

  private insertInboxWhere(p: Slots<InboxColumns>, more: RawBuilder<unknown>) {
    return this.database.kysely
      .insertInto('run_inbox')
      .columns(['run_id', 'namespace', 'command', 'at'])
      .expression(
        sql`select id, namespace, ${p.command}, cast(${p.at} as bigint) from runs
          where id = ${p.run_id} and namespace = ${p.namespace} ${more}`,
      );
  }

  private prepareQueueLock() {
    const { lockWhere } = this.database.dialect;
    if (lockWhere === undefined) return undefined;
    return this.database.prepare('run.lock-queue', (p: Slots<{ readonly max_queued: number }>) => {
      const maxQueued = sql<number>`cast(${p.max_queued} as bigint)`;
      return lockWhere(
        QUEUE_LOCK,
        sql<boolean>`${countQueued(maxQueued)} >= ${maxQueued} - ${sql.lit(FEW_PLACES)}`,
      );
    });
  }

  private prepareRowLock() {
    const { lockRuns } = this.database.dialect;
    if (lockRuns === undefined) return undefined;
    return this.database.prepare('run.lock', (p: Slots<{ readonly run_ids: readonly string[] }>) =>
      lockRuns(p.run_ids),
    );
  }

  private putKey(p: Slots<IdempotencyKeysTable>, where: (update: KeyUpdate) => KeyUpdate) {
    return this.database.kysely
      .insertInto('idempotency_keys')
      .values({
        namespace: p.namespace,
        operation: p.operation,
        key: p.key,
        body_hash: p.body_hash,
        created_at: p.created_at,
        expires_at: p.expires_at,
        run_id: p.run_id,
        answer: p.answer,
      })
      .onConflict((conflict) =>
        where(
          conflict.columns(['namespace', 'operation', 'key']).doUpdateSet((eb) => ({
            body_hash: eb.ref('excluded.body_hash'),
            created_at: eb.ref('excluded.created_at'),
            expires_at: eb.ref('excluded.expires_at'),
            run_id: eb.ref('excluded.run_id'),
            answer: eb.ref('excluded.answer'),
          })),
        ),
      );
  }

  private restOfRun(run: NewRun): readonly Statement[] {
    return [
      this.insertFirst.bind({
        run_id: run.id,
        namespace: run.namespace,
        first_seq: 1,
        last_seq: run.events.length,
        append_id: run.appendId,
        events: joinEvents(run.events),
      }),
      ...run.tags.map((tag) => this.insertTag.bind({ namespace: run.namespace, tag, run_id: run.id })),
    ];
  }

  private alsoRow(row: AlsoRow): readonly Statement[] {
    switch (row.kind) {
      case 'run':
        return [
          this.insertRun.bind({ ...newRunColumns(row.run), ...UNCONDITIONAL }),
          ...this.restOfRun(row.run),
        ];
      case 'inbox':
        return this.openInbox(row.entry);
      case 'idempotency':
        return [this.idempotency(row.row)];
      case 'settlement':
        return [this.settlement(row.row)];
      case 'audit':
        return [this.audit(row.row)];
      case 'approval':
        return this.approvals.open(row.row);
      case 'approval-end':
        return [this.approvals.end(row.end)];
      case 'blob':
        return this.blobs.use(row.use);
    }
  }

  private idempotency(row: IdempotencyRow): Statement {
    return this.replaceKey.bind(idempotencyColumns(row));
  }

  private settlement(row: Settlement): Statement {
    const { reservationId, scope, namespace, costMicros, at } = row;
    return this.insertSettlement.bind({
      reservation_id: reservationId,
      scope,
      namespace,
      cost_micros: costMicros,
      at,
    });
  }

  private audit({ details, ...row }: AuditRow): Statement {
    return this.insertAudit.bind({ ...row, details: JSON.stringify(details) });
  }
}
