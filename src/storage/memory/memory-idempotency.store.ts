import {
  IdempotencyStore,
  type IdempotencyAnswer,
  type IdempotencyBegin,
  type IdempotencyKey,
  type IdempotencyRow,
} from '../../platform/ports/idempotency.store.js';
import { idempotencyId, type MemoryRecord } from './memory-record.js';

export class MemoryIdempotencyStore extends IdempotencyStore {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override begin(row: IdempotencyRow): Promise<IdempotencyBegin> {
    const used = this.record.findIdempotency(row, row.createdAt);
    if (used !== undefined) return Promise.resolve(compare(used, row));
    this.record.putIdempotency(row);
    return Promise.resolve({ state: 'fresh' });
  }

  override complete(key: IdempotencyKey, answer: IdempotencyAnswer): Promise<void> {
    const row = this.record.idempotency.get(idempotencyId(key));
    if (row !== undefined && row.answer === undefined) this.record.putIdempotency({ ...row, answer });
    return Promise.resolve();
  }

  override abandon(key: IdempotencyKey): Promise<void> {
    const id = idempotencyId(key);
    const row = this.record.idempotency.get(id);
    if (row !== undefined && !isSettled(row)) this.record.idempotency.delete(id);
    return Promise.resolve();
  }

  override find(key: IdempotencyKey, now: number): Promise<IdempotencyRow | undefined> {
    return Promise.resolve(this.record.findIdempotency(key, now));
  }

  override sweep(now: number, limit: number): Promise<number> {
    let swept = 0;
    for (const [id, row] of this.record.idempotency) {
      if (swept === limit) break;
      if (row.expiresAt <= now && this.record.idempotency.delete(id)) swept += 1;
    }
    return Promise.resolve(swept);
  }
}

function compare(used: IdempotencyRow, row: IdempotencyRow): IdempotencyBegin {
  if (used.bodyHash !== row.bodyHash) return { state: 'mismatch' };
  return isSettled(used) ? { state: 'answered', row: used } : { state: 'in_progress' };
}

/** Whether the first request has answered or started its run. */
function isSettled(row: IdempotencyRow): boolean {
  return row.answer !== undefined || row.runId !== undefined;
}
