import { sql } from 'kysely';

import {
  IdempotencyStore,
  type IdempotencyAnswer,
  type IdempotencyBegin,
  type IdempotencyKey,
  type IdempotencyRow,
} from '../../platform/ports/idempotency.store.js';
import { RecordStatements } from './record-statements.js';
import { idempotencyColumns, idempotencyRowOf } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { IdempotencyKeysTable } from './tables.js';

type KeyColumns = Pick<IdempotencyKeysTable, 'namespace' | 'operation' | 'key'>;

export class SqlIdempotencyStore extends IdempotencyStore {
  private readonly record: RecordStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.record = new RecordStatements(database);
  }

  private readonly findRow = this.database.prepare('idempotency.row', (p: Slots<KeyColumns>) =>
    this.database.kysely
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('namespace', '=', p.namespace)
      .where('operation', '=', p.operation)
      .where('key', '=', p.key),
  );

  private readonly setAnswer = this.database.prepare(
    'idempotency.complete',
    (p: Slots<KeyColumns & { readonly answer: string }>) =>
      this.database.kysely
        .updateTable('idempotency_keys')
        .set({ answer: p.answer })
        .where('namespace', '=', p.namespace)
        .where('operation', '=', p.operation)
        .where('key', '=', p.key)
        .where('answer', 'is', null),
  );

  private readonly removeUnsettled = this.database.prepare('idempotency.abandon', (p: Slots<KeyColumns>) =>
    this.database.kysely
      .deleteFrom('idempotency_keys')
      .where('namespace', '=', p.namespace)
      .where('operation', '=', p.operation)
      .where('key', '=', p.key)
      .where('answer', 'is', null)
      .where('run_id', 'is', null),
  );

  private readonly removeExpired = this.database.prepare(
    'idempotency.sweep',
    (p: Slots<{ readonly now: number; readonly limit: number }>) => sql`
      delete from idempotency_keys where (namespace, operation, key) in (
        select namespace, operation, key from idempotency_keys
        where expires_at <= ${p.now} order by expires_at limit ${p.limit})`,
  );

  override async begin(row: IdempotencyRow): Promise<IdempotencyBegin> {
    const outcome = await this.database.write({
      statements: [this.record.takeKey.guard(idempotencyColumns(row))],
      otherwise: [this.findRow.bind(keyColumns(row))],
    });
    if (outcome.held) return { state: 'fresh' };
    const [used] = this.findRow.rowsIn(outcome, 0);
    // The row that was in the way may be gone by now, where transactions run beside each other.
    return used === undefined ? this.begin(row) : compare(idempotencyRowOf(used), row);
  }

  override async complete(key: IdempotencyKey, answer: IdempotencyAnswer): Promise<void> {
    const values = { ...keyColumns(key), answer: JSON.stringify(answer) };
    await this.database.write({ statements: [this.setAnswer.bind(values)] });
  }

  override async abandon(key: IdempotencyKey): Promise<void> {
    await this.database.write({ statements: [this.removeUnsettled.bind(keyColumns(key))] });
  }

  override async find(key: IdempotencyKey, now: number): Promise<IdempotencyRow | undefined> {
    const [row] = await this.database.read(this.findRow.bind(keyColumns(key)));
    return row === undefined || row.expires_at <= now ? undefined : idempotencyRowOf(row);
  }

  override async sweep(now: number, limit: number): Promise<number> {
    const outcome = await this.database.write({ statements: [this.removeExpired.bind({ now, limit })] });
    return outcome.results[0]?.changes ?? 0;
  }
}

function keyColumns({ namespace, operation, key }: IdempotencyKey): KeyColumns {
  return { namespace, operation, key };
}

function compare(used: IdempotencyRow, row: IdempotencyRow): IdempotencyBegin {
  if (used.bodyHash !== row.bodyHash) return { state: 'mismatch' };
  const settled = used.answer !== undefined || used.runId !== undefined;
  return settled ? { state: 'answered', row: used } : { state: 'in_progress' };
}
