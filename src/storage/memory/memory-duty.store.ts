import { DutyStore } from '../../platform/ports/duty.store.js';
import type { MemoryRecord } from './memory-record.js';

const RETIRED = -Infinity;

export class MemoryDutyStore extends DutyStore {
  private readonly holders = new Map<string, string>();

  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override take(names: readonly string[], ownerId: string): Promise<readonly string[]> {
    if (!this.record.isLive(ownerId)) return Promise.resolve([]);
    for (const name of names) if (this.isFree(name)) this.holders.set(name, ownerId);
    return Promise.resolve(names.filter((name) => this.holders.get(name) === ownerId));
  }

  override giveUp(ownerId: string): Promise<void> {
    for (const [name, holder] of this.holders) if (holder === ownerId) this.holders.delete(name);
    return Promise.resolve();
  }

  private isFree(name: string): boolean {
    const holder = this.holders.get(name);
    return holder === undefined || (this.record.leases.get(holder) ?? RETIRED) === RETIRED;
  }
}
