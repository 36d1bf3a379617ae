import { sql } from 'kysely';

import type { RunStatus } from '../../runs/domain/run.status.js';
import type { Claim } from '../../runs/domain/claim.js';
import type { Append, AppendResult } from '../../runs/run.store.js';
import { countInbox, RecordStatements, sooner } from './record-statements.js';
import { joinEvents, summaryColumns, type CountColumns } from './run-rows.js';
import { SqlAppends } from './sql-appends.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, Statement } from './statement.js';

interface Advance extends CountColumns {
  readonly run_id: string;
  readonly namespace: string;
  readonly epoch: number;
  readonly expected_seq: number;
  readonly last_seq: number;
  readonly wake_at: number | null;
}

interface QuietAdvance extends Advance {
  readonly owner_id: string;
  readonly inbox_seq: number;
}

interface Status {
  readonly run_id: string;
  readonly status: RunStatus;
}

/** What the last append of a claim left in the run row. */
interface Left {
  readonly status: RunStatus;
  readonly inboxSeq: number;
}

const REFUSED: AppendResult = { outcome: 'refused' };

/**
 * One append as one unit: the run row if claim and sequence hold, then the log and everything else.
 *
 * Most appends are quiet: the status stays, and nothing has come in since the claim's append before. These are tried
 * first with two plain statements. What makes an append loud costs more on SQLite: `returning` a quarter of an
 * update, and the status two indexes, which are written again whenever an update names their column.
 */
export class UnitAppends extends SqlAppends {
  private readonly record: RecordStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.record = new RecordStatements(database);
  }

  private readonly left = new WeakMap<Claim, Left>();

  /** Refuses whatever is not quiet, a lost claim among it; then the statement below decides. */
  private readonly advanceQuietly = this.database.prepare('append.quiet', (p: Slots<QuietAdvance>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ ...this.counts(p), wake_at: p.wake_at })
      .where('id', '=', p.run_id)
      .where('namespace', '=', p.namespace)
      .where('epoch', '=', p.epoch)
      .where('last_seq', '=', p.expected_seq)
      .where('owner_id', '=', p.owner_id)
      .where('inbox_seq', '=', p.inbox_seq)
      .where('inbox_pending', '=', sql.lit(0)),
  );

  /**
   * The summary, `wake_at` included, except where the run must stay due: an inbox row waits, or nobody owns it.
   * Inbox rows that this append consumes still count here; `settleInbox` puts that right.
   */
  private readonly advance = this.database.prepare('append.advance', (p: Slots<Advance>) =>
    this.database.kysely
      .updateTable('runs')
      .set({
        ...this.counts(p),
        wake_at: sql`case when inbox_pending > 0 or owner_id is null
          then ${sooner(p.wake_at, this.database.dialect.now)} else ${p.wake_at} end`,
      })
      .where('id', '=', p.run_id)
      .where('namespace', '=', p.namespace)
      .where('epoch', '=', p.epoch)
      .where('last_seq', '=', p.expected_seq)
      .returning('inbox_seq'),
  );

  private readonly setStatus = this.database.prepare('append.status', (p: Slots<Status>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ status: p.status })
      .where('id', '=', p.run_id)
      .where('status', '<>', p.status),
  );

  /** The last append of a run gives its claim up. */
  private readonly setEnd = this.database.prepare('append.end', (p: Slots<Status>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ status: p.status, owner_id: null })
      .where('id', '=', p.run_id),
  );

  private readonly settleInbox = this.database.prepare(
    'append.settle-inbox',
    (p: Slots<Pick<Advance, 'run_id' | 'wake_at'>>) =>
      this.database.kysely
        .updateTable('runs')
        .set({
          inbox_pending: countInbox(),
          wake_at: sql`case when ${countInbox()} > 0 or owner_id is null then wake_at else ${p.wake_at} end`,
        })
        .where('id', '=', p.run_id),
  );

  override async append(append: Append): Promise<AppendResult> {
    const left = this.left.get(append.claim);
    this.left.delete(append.claim);
    const result = (left && (await this.appendQuietly(append, left))) ?? (await this.appendFully(append));
    if (result.outcome === 'appended') {
      this.left.set(append.claim, { status: append.summary.status, inboxSeq: result.inboxSeq });
    }
    return result;
  }

  /** Undefined when the append is not quiet: nothing was written then. */
  private async appendQuietly(append: Append, { status, inboxSeq }: Left): Promise<AppendResult | undefined> {
    if (append.summary.status !== status || !isPlain(append)) return undefined;
    const values = advanceValues(append);
    const guard = { ...values, owner_id: append.claim.ownerId, inbox_seq: inboxSeq };
    const outcome = await this.database.write({
      statements: [this.advanceQuietly.guard(guard), this.logged(append)],
    });
    return outcome.held ? { outcome: 'appended', inboxSeq } : undefined;
  }

  private async appendFully(append: Append): Promise<AppendResult> {
    const { claim, also = [] } = append;
    const locks = this.record.lockRuns(claim.runId, also);
    const outcome = await this.database.write({
      statements: [
        ...locks,
        this.advance.guard(advanceValues(append)),
        this.logged(append),
        ...this.consumption(append),
        this.statusChange(append),
        ...this.record.also(also),
      ],
    });
    const [row] = this.advance.rowsIn(outcome, locks.length);
    return row === undefined ? REFUSED : { outcome: 'appended', inboxSeq: row.inbox_seq };
  }

  private logged({ claim, namespace, expectedSeq, events, appendId }: Append): Statement {
    return this.record.insertAppend.bind({
      run_id: claim.runId,
      namespace,
      first_seq: expectedSeq + 1,
      last_seq: expectedSeq + events.length,
      append_id: appendId,
      events: joinEvents(events),
    });
  }

  private statusChange({ claim, summary: { status, endedAt } }: Append): Statement {
    const statement = endedAt === undefined ? this.setStatus : this.setEnd;
    return statement.bind({ run_id: claim.runId, status });
  }

  private consumption({ claim, consumedInbox, summary }: Append): readonly Statement[] {
    if (consumedInbox.length === 0) return [];
    return [
      ...consumedInbox.map((id) => this.record.deleteInbox.bind({ id, run_id: claim.runId })),
      this.settleInbox.bind({ run_id: claim.runId, wake_at: summary.wakeAt ?? null }),
    ];
  }

  private counts(p: Slots<Advance>) {
    return {
      last_seq: p.last_seq,
      started_at: p.started_at,
      ended_at: p.ended_at,
      steps_total: p.steps_total,
      steps_completed: p.steps_completed,
      steps_failed: p.steps_failed,
      steps_skipped: p.steps_skipped,
      input_tokens: p.input_tokens,
      output_tokens: p.output_tokens,
      cost_micros: p.cost_micros,
      failure_code: p.failure_code,
      failure_message: p.failure_message,
      updated_at: this.database.dialect.now(),
    };
  }
}

/** Whether the append touches nothing but its run row and the log. */
function isPlain({ summary, consumedInbox, also = [] }: Append): boolean {
  return summary.endedAt === undefined && consumedInbox.length === 0 && also.length === 0;
}

function advanceValues({ claim, namespace, expectedSeq, events, summary }: Append): Advance {
  return {
    run_id: claim.runId,
    namespace,
    epoch: claim.epoch,
    expected_seq: expectedSeq,
    last_seq: expectedSeq + events.length,
    ...summaryColumns(summary),
  };
}
