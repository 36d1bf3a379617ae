import { KeyStore, type ApiKey } from '../../platform/ports/key.store.js';
import type { MemoryRecord } from './memory-record.js';

export class MemoryKeyStore extends KeyStore {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override add(key: ApiKey): Promise<boolean> {
    if (this.record.keysByHash.has(key.hash)) return Promise.resolve(false);
    this.record.keysByHash.set(key.hash, key);
    return Promise.resolve(true);
  }

  override addFirst(key: ApiKey): Promise<boolean> {
    return this.record.keysByHash.size > 0 ? Promise.resolve(false) : this.add(key);
  }

  override findByHash(hash: string): Promise<ApiKey | undefined> {
    return Promise.resolve(this.record.keysByHash.get(hash));
  }

  override list(namespace: string): Promise<readonly ApiKey[]> {
    const keys = [...this.record.keysByHash.values()].filter((key) => key.namespace === namespace);
    return Promise.resolve(keys.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)));
  }

  override revoke(namespace: string, id: string, at: number): Promise<boolean> {
    const key = [...this.record.keysByHash.values()].find(
      (one) => one.id === id && one.namespace === namespace,
    );
    if (key === undefined || key.revokedAt !== undefined) return Promise.resolve(false);
    this.record.keysByHash.set(key.hash, { ...key, revokedAt: at });
    return Promise.resolve(true);
  }

  override hasAny(): Promise<boolean> {
    return Promise.resolve(this.record.keysByHash.size > 0);
  }
}
