import { Injectable } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { KeyStore, type ApiKey } from '../ports/key.store.js';

/** How long an answer of the store is believed: so long a revoked key may still work on another process. */
const TTL_MS = 5000;
const MAX_ENTRIES = 1000;

interface Entry {
  /** Undefined: there is no such key. */
  readonly key: ApiKey | undefined;
  readonly until: number;
}

/** Looks keys up, and remembers what it found for a few seconds. Bounded. */
@Injectable()
export class KeyCache {
  private readonly entries = new Map<string, Entry>();
  private hasKeys = false;
  private noKeysUntil = 0;

  constructor(
    private readonly keys: KeyStore,
    private readonly clock: Clock,
  ) {}

  /** The key of a hash, whether valid or not; undefined when there is none. */
  async find(hash: string): Promise<ApiKey | undefined> {
    const known = this.entries.get(hash);
    if (known !== undefined && known.until > this.clock.monotonic()) return known.key;
    const key = await this.keys.findByHash(hash);
    this.remember(hash, key);
    return key;
  }

  /** True when any key exists. Once true it stays true: keys are revoked, not deleted. */
  async hasAny(): Promise<boolean> {
    if (this.hasKeys || this.noKeysUntil > this.clock.monotonic()) return this.hasKeys;
    this.hasKeys = await this.keys.hasAny();
    this.noKeysUntil = this.clock.monotonic() + TTL_MS;
    return this.hasKeys;
  }

  /** Forgets everything, so that a change made by this process is seen at once. */
  clear(): void {
    this.entries.clear();
    this.noKeysUntil = 0;
  }

  private remember(hash: string, key: ApiKey | undefined): void {
    this.entries.delete(hash);
    this.entries.set(hash, { key, until: this.clock.monotonic() + TTL_MS });
    const oldest = this.entries.keys().next();
    if (this.entries.size > MAX_ENTRIES && oldest.done !== true) this.entries.delete(oldest.value);
  }
}
