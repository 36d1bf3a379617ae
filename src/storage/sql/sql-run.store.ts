import { sql } from 'kysely';

import type { EncodedEvent } from '../../runs/domain/run.events.js';
import {
  RunStore,
  type Append,
  type AppendResult,
  type Checkpoint,
  type CreateResult,
  type Creation,
  type EventPage,
} from '../../runs/run.store.js';
import { RecordStatements, type Admission } from './record-statements.js';
import { idempotencyColumns, idempotencyRowOf, splitEvents } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, Statement, UnitOutcome } from './statement.js';
import type { RunCheckpointsTable } from './run-tables.js';

type KeyColumns = Omit<Admission, 'max_queued'>;

interface Range {
  readonly namespace: string;
  readonly run_id: string;
  readonly after_seq: number;
  /** The last sequence number wanted. */
  readonly upto_seq: number;
}

export class SqlRunStore extends RunStore {
  private readonly record: RecordStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.record = new RecordStatements(database);
  }

  /** The rows of a refused creation: what holds it back. */
  private readonly findRun = this.database.prepare('run.exists', (p: Slots<{ readonly run_id: string }>) =>
    this.database.kysely.selectFrom('runs').select('id').where('id', '=', p.run_id),
  );

  private readonly findKey = this.database.prepare('idempotency.find', (p: Slots<KeyColumns>) =>
    this.database.kysely
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('namespace', '=', p.key_namespace)
      .where('operation', '=', p.operation)
      .where('key', '=', p.key)
      .where('expires_at', '>', p.asked_at),
  );

  private readonly countQueued = this.database.prepare('run.count-queued', () =>
    this.database.kysely
      .selectFrom('runs')
      .select(sql<number>`count(*)`.as('queued'))
      .where('status', '=', sql.lit('queued'))
      .where('owner_id', 'is', null)
      .where('parent_id', 'is', null),
  );

  private readonly findAppendId = this.database.prepare(
    'append.find',
    (p: Slots<{ readonly run_id: string; readonly first_seq: number }>) =>
      this.database.kysely
        .selectFrom('run_appends')
        .select('append_id')
        .where('run_id', '=', p.run_id)
        .where('first_seq', '=', p.first_seq),
  );

  /** One statement, so the run row and its log are seen at one moment. The appends wanted are one range of the index. */
  private readonly readAppends = this.database.prepare('append.read', (p: Slots<Range>) =>
    this.database.kysely
      .selectFrom('runs')
      .leftJoin('run_appends', (join) =>
        join
          .on('run_appends.run_id', '=', p.run_id)
          .on('run_appends.first_seq', '<=', p.upto_seq)
          .on(
            'run_appends.first_seq',
            '>=',
            sql<number>`(select coalesce(max(first_seq), 1) from run_appends
              where run_id = ${p.run_id} and first_seq <= ${p.after_seq} + 1)`,
          ),
      )
      .select(['runs.last_seq', 'run_appends.first_seq', 'run_appends.events'])
      .where('runs.id', '=', p.run_id)
      .where('runs.namespace', '=', p.namespace)
      .orderBy('run_appends.first_seq'),
  );

  private readonly putCheckpoint = this.database.prepare('checkpoint.put', (p: Slots<RunCheckpointsTable>) =>
    this.database.kysely
      .insertInto('run_checkpoints')
      .columns(['run_id', 'seq', 'fold_version', 'state'])
      .expression(
        sql`select id, cast(${p.seq} as bigint), cast(${p.fold_version} as bigint), ${p.state} from runs
          where id = ${p.run_id}`,
      )
      .onConflict((conflict) =>
        conflict
          .column('run_id')
          .doUpdateSet((eb) => ({
            seq: eb.ref('excluded.seq'),
            fold_version: eb.ref('excluded.fold_version'),
            state: eb.ref('excluded.state'),
          }))
          .whereRef('run_checkpoints.seq', '<=', 'excluded.seq'),
      ),
  );

  private readonly getCheckpoint = this.database.prepare(
    'checkpoint.find',
    (p: Slots<Pick<RunCheckpointsTable, 'run_id' | 'fold_version'>>) =>
      this.database.kysely
        .selectFrom('run_checkpoints')
        .select(['seq', 'fold_version', 'state'])
        .where('run_id', '=', p.run_id)
        .where('fold_version', '=', p.fold_version),
  );

  override async create(creation: Creation): Promise<CreateResult> {
    const { run, ownerId, idempotency, also = [] } = creation;
    assertNumbered(run.events, 0);
    const admission = admissionOf(creation);
    const outcome = await this.database.write({
      statements: [
        ...this.record.lockRuns(run.id, also),
        ...this.record.admit(admission),
        ...this.record.newRun(run, ownerId, admission),
        ...(idempotency === undefined ? [] : [this.record.takeKey.guard(idempotencyColumns(idempotency))]),
        ...this.record.also(also),
      ],
      otherwise: this.refusalOf(run.id, admission),
    });
    return outcome.held ? { outcome: 'created' } : this.explain(outcome);
  }

  override async append(append: Append): Promise<AppendResult> {
    assertNumbered(append.events, append.expectedSeq);
    return this.database.appends.append(append);
  }

  override async findAppend(runId: string, expectedSeq: number, appendId: string): Promise<boolean> {
    const [row] = await this.database.read(
      this.findAppendId.bind({ run_id: runId, first_seq: expectedSeq + 1 }),
    );
    return row?.append_id === appendId;
  }

  override async read(
    namespace: string,
    runId: string,
    { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
  ): Promise<EventPage | undefined> {
    const range = { namespace, run_id: runId, after_seq: afterSeq, upto_seq: afterSeq + limit };
    const rows = await this.database.read(this.readAppends.bind(range));
    const [first] = rows;
    if (first === undefined) return undefined;
    const events = rows
      .flatMap((row) => (row.events === null ? [] : splitEvents(row.events)))
      .filter(({ event }) => event.seq > afterSeq)
      .slice(0, limit);
    return { events, lastSeq: first.last_seq, more: afterSeq + events.length < first.last_seq };
  }

  override async saveCheckpoint(runId: string, { seq, foldVersion, state }: Checkpoint): Promise<void> {
    const values = { run_id: runId, seq, fold_version: foldVersion, state };
    await this.database.write({ statements: [this.putCheckpoint.bind(values)] });
  }

  override async findCheckpoint(runId: string, foldVersion: number): Promise<Checkpoint | undefined> {
    const [row] = await this.database.read(
      this.getCheckpoint.bind({ run_id: runId, fold_version: foldVersion }),
    );
    return row && { seq: row.seq, foldVersion: row.fold_version, state: row.state };
  }

  private refusalOf(runId: string, admission: Admission): readonly Statement[] {
    return [this.findRun.bind({ run_id: runId }), this.findKey.bind(admission), this.countQueued.bind({})];
  }

  private explain(outcome: UnitOutcome): CreateResult {
    if (this.findRun.rowsIn(outcome, 0).length > 0) return { outcome: 'exists' };
    const [used] = this.findKey.rowsIn(outcome, 1);
    if (used !== undefined) return { outcome: 'key_used', row: idempotencyRowOf(used) };
    return { outcome: 'queue_full', queued: this.countQueued.rowsIn(outcome, 2)[0]?.queued ?? 0 };
  }
}

function admissionOf({ maxQueued, idempotency }: Creation): Admission {
  return {
    max_queued: maxQueued ?? null,
    key_namespace: idempotency?.namespace ?? null,
    operation: idempotency?.operation ?? null,
    key: idempotency?.key ?? null,
    asked_at: idempotency?.createdAt ?? null,
  };
}

function assertNumbered(events: readonly EncodedEvent[], afterSeq: number): void {
  const isNumbered = events.every(({ event }, index) => event.seq === afterSeq + index + 1);
  if (events.length > 0 && isNumbered) return;
  throw new RangeError(`Expected events numbered from ${String(afterSeq + 1)} without a gap.`);
}
