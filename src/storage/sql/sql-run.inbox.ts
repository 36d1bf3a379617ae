import { sql } from 'kysely';

import { RunInbox, type InboxCommand, type InboxEntry, type InboxRow } from '../../runs/run.inbox.js';
import type { Claim } from '../../runs/domain/claim.js';
import { countInbox, RecordStatements } from './record-statements.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';

interface ClaimColumns {
  readonly run_id: string;
  readonly owner_id: string;
  readonly epoch: number;
}

export class SqlRunInbox extends RunInbox {
  private readonly record: RecordStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.record = new RecordStatements(database);
  }

  private readonly readRows = this.database.prepare(
    'inbox.pending',
    (p: Slots<{ readonly run_id: string }>) =>
      this.database.kysely
        .selectFrom('runs')
        .leftJoin('run_inbox', 'run_inbox.run_id', 'runs.id')
        .select(['runs.inbox_seq', 'runs.namespace', 'run_inbox.id', 'run_inbox.command', 'run_inbox.at'])
        .where('runs.id', '=', p.run_id)
        .orderBy('run_inbox.id'),
  );

  /** Locks the run and says whether the claim holds. */
  private readonly holdClaim = this.database.prepare('inbox.hold-claim', (p: Slots<ClaimColumns>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ inbox_pending: sql`inbox_pending` })
      .where('id', '=', p.run_id)
      .where('owner_id', '=', p.owner_id)
      .where('epoch', '=', p.epoch),
  );

  private readonly recount = this.database.prepare('inbox.recount', (p: Slots<{ readonly run_id: string }>) =>
    this.database.kysely.updateTable('runs').set({ inbox_pending: countInbox() }).where('id', '=', p.run_id),
  );

  override async put(entry: InboxEntry): Promise<boolean> {
    const outcome = await this.database.write({ statements: this.record.inbox(entry) });
    return (outcome.results[1]?.changes ?? 0) > 0;
  }

  override async pending(
    runId: string,
  ): Promise<{ readonly rows: readonly InboxRow[]; readonly inboxSeq: number }> {
    const rows = await this.database.read(this.readRows.bind({ run_id: runId }));
    const found = rows.flatMap(({ id, namespace, command, at }) =>
      id === null || command === null || at === null
        ? []
        : [{ id, namespace, runId, command: JSON.parse(command) as InboxCommand, at }],
    );
    return { rows: found, inboxSeq: rows[0]?.inbox_seq ?? 0 };
  }

  override async discard(claim: Claim, rowIds: readonly number[]): Promise<void> {
    const { runId: run_id, ownerId: owner_id, epoch } = claim;
    await this.database.write({
      statements: [
        this.holdClaim.guard({ run_id, owner_id, epoch }),
        ...rowIds.map((id) => this.record.deleteInbox.bind({ id, run_id })),
        this.recount.bind({ run_id }),
      ],
    });
  }
}
