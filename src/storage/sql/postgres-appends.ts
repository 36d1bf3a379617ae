/**
 * Group commit on PostgreSQL: appends to many runs are one statement, and so one round trip and one commit.
 *
 * Decided here: which appends travel together, and that each caller gets an answer of its own. An append that brings
 * other rows with it goes alone, as a unit.
 */
import { sql, type RawBuilder } from 'kysely';

import type { Append, AppendResult } from '../../runs/run.store.js';
import { Grouping, type Answer } from './grouping.js';
import { sooner } from './record-statements.js';
import { joinEvents, summaryColumns, type SummaryColumns } from './run-rows.js';
import { SqlAppends } from './sql-appends.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { RunAppendsTable } from './run-tables.js';
import { UnitAppends } from './unit-appends.js';

/** One append as a row of the batch. */
type Row = SummaryColumns & Omit<RunAppendsTable, 'position'> & { readonly epoch: number };
type Of = (column: keyof Row) => RawBuilder<unknown>;

interface Held {
  readonly run_id: string;
  readonly inbox_seq: number;
}

/** One array for each column. */
type Columns = { readonly [K in keyof Row]: readonly Row[K][] };

const TEXT: readonly (keyof Row)[] = [
  'run_id',
  'namespace',
  'append_id',
  'events',
  'status',
  'failure_code',
  'failure_message',
];
/** Summary columns that the run row takes over as they are. */
const TAKEN: readonly (keyof Row)[] = [
  'status',
  'failure_code',
  'failure_message',
  'started_at',
  'ended_at',
  'steps_total',
  'steps_completed',
  'steps_failed',
  'steps_skipped',
  'input_tokens',
  'output_tokens',
  'cost_micros',
];
const LOG_COLUMNS: readonly (keyof Row)[] = [
  'run_id',
  'namespace',
  'first_seq',
  'last_seq',
  'append_id',
  'events',
];
const LOGGED = sql.join(LOG_COLUMNS.map((name) => sql.ref(name)));
const COLUMNS: readonly (keyof Row)[] = [...LOG_COLUMNS, ...TAKEN, 'epoch', 'wake_at'];

export class PostgresAppends extends SqlAppends {
  private readonly alone: UnitAppends;
  private readonly groups: Grouping<Append, AppendResult>;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.alone = new UnitAppends(database);
    this.groups = new Grouping(
      {
        // The next batch is on its way while the server syncs the one before.
        maxInFlight: 2,
        maxItems: 64,
        maxBytes: 1024 * 1024,
        bytesOf: ({ events }) => events.reduce((bytes, { text }) => bytes + text.length, 0),
        keyOf: ({ claim }) => claim.runId,
      },
      (appends) => this.appendTogether(appends),
    );
  }

  /**
   * Inputs: one array per column, one element per append, each of another run.
   *
   * Locks the run rows in the order of their ids, updates those whose epoch and sequence still hold, and writes the
   * log of these only. Answers the run and its `inbox_seq` for each append that held; the others were refused.
   * A row that another transaction changed meanwhile is judged by its new version (read committed).
   */
  private readonly advanceMany = this.database.prepare('append.batch', (p: Slots<Columns>) => {
    const of = (column: keyof Row): RawBuilder<unknown> => sql.ref(`input.${column}`);
    // Behind a sub-select the length of an array does not tempt the planner to plan each batch anew.
    const arrays = COLUMNS.map((name) => sql`(select ${p[name]}::${typeOf(name)}[])`);
    return sql<Held>`
      with input as (
        select * from unnest(${sql.join(arrays)}) as input(${sql.join(COLUMNS.map((name) => sql.ref(name)))})
      ), held as (
        select runs.id from runs join input on runs.id = input.run_id
        where ${isHeld(of)} order by runs.id for update of runs
      ), advanced as (
        update runs set ${this.assignments(of)}
        from input, held where runs.id = held.id and runs.id = input.run_id and ${isHeld(of)}
        returning runs.id, runs.inbox_seq
      ), logged as (
        insert into run_appends (${LOGGED}) select ${sql.join(LOG_COLUMNS.map(of))}
        from input join advanced on advanced.id = input.run_id
      )
      select id as run_id, inbox_seq from advanced`;
  });

  /** The same for a single append. */
  private readonly advanceOne = this.database.prepare('append.one', (p: Slots<Row>) => {
    const of = (column: keyof Row): RawBuilder<unknown> => sql`${p[column]}::${typeOf(column)}`;
    return sql<Held>`
      with advanced as (
        update runs set ${this.assignments(of)}
        where runs.id = ${of('run_id')} and ${isHeld(of)}
        returning runs.id, runs.inbox_seq
      ), logged as (
        insert into run_appends (${LOGGED}) select ${sql.join(LOG_COLUMNS.map(of))} from advanced
      )
      select id as run_id, inbox_seq from advanced`;
  });

  override append(append: Append): Promise<AppendResult> {
    const isPlain = append.consumedInbox.length === 0 && (append.also ?? []).length === 0;
    return isPlain ? this.groups.add(append) : this.alone.append(append);
  }

  /** After an unexpected error each append is tried alone, so one can not spoil the others. */
  private async appendTogether(appends: readonly Append[]): Promise<readonly Answer<AppendResult>[]> {
    try {
      return await this.appendBatch(appends);
    } catch (error) {
      if (appends.length === 1) throw error;
      const settled = await Promise.allSettled(appends.map((append) => this.appendBatch([append])));
      return settled.map((one) =>
        one.status === 'fulfilled' && one.value[0] !== undefined
          ? one.value[0]
          : { error: one.status === 'rejected' ? (one.reason as Error) : new Error('No answer') },
      );
    }
  }

  private async appendBatch(appends: readonly Append[]): Promise<readonly Answer<AppendResult>[]> {
    const rows = appends.map(rowOf);
    const [first, second] = rows;
    const statement =
      first !== undefined && second === undefined
        ? this.advanceOne.bind(first)
        : this.advanceMany.bind(columnsOf(rows));
    const outcome = await this.database.write({ statements: [statement] });
    const held = new Map(this.advanceMany.rowsIn(outcome, 0).map((row) => [row.run_id, row.inbox_seq]));
    return appends.map(({ claim }) => {
      const inboxSeq = held.get(claim.runId);
      return { value: inboxSeq === undefined ? { outcome: 'refused' } : { outcome: 'appended', inboxSeq } };
    });
  }

  private assignments(of: Of): RawBuilder<unknown> {
    const now = this.database.dialect.now;
    return sql`
      last_seq = ${of('last_seq')},
      ${sql.join(TAKEN.map((name) => sql`${sql.ref(name)} = ${of(name)}`))},
      wake_at = case when runs.inbox_pending > 0 or runs.owner_id is null
        then ${sooner(of('wake_at'), now)} else ${of('wake_at')} end,
      owner_id = case when ${of('ended_at')} is null then runs.owner_id end,
      updated_at = ${now()}`;
  }
}

function isHeld(of: Of): RawBuilder<unknown> {
  return sql`runs.namespace = ${of('namespace')} and runs.epoch = ${of('epoch')}
    and runs.last_seq = ${of('first_seq')} - 1`;
}

function typeOf(column: keyof Row): RawBuilder<unknown> {
  return TEXT.includes(column) ? sql`text` : sql`bigint`;
}

function columnsOf(rows: readonly Row[]): Columns {
  const columns = COLUMNS.map((name) => [name, rows.map((row) => row[name])]);
  return Object.fromEntries(columns) as Columns;
}

function rowOf({ claim, namespace, expectedSeq, appendId, events, summary }: Append): Row {
  return {
    run_id: claim.runId,
    namespace,
    epoch: claim.epoch,
    first_seq: expectedSeq + 1,
    last_seq: expectedSeq + events.length,
    append_id: appendId,
    events: joinEvents(events),
    ...summaryColumns(summary),
  };
}
