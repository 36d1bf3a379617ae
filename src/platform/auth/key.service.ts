import { Injectable } from '@nestjs/common';

import type { ApiKey, Role } from '../ports/key.store.js';
import { KeyStore } from '../ports/key.store.js';
import { Clock } from '../clock/clock.js';
import { IdSource } from '../ids/id.source.js';
import { hashOfKey, makeApiKey } from './api-key.js';
import { KeyCache } from './key-cache.js';

/** What a new key is for. */
export interface NewKey {
  readonly name: string;
  readonly namespace: string;
  readonly role: Role;
  /** A worker's key: the agents whose tasks it may poll and answer, and nothing else. */
  readonly agents?: readonly string[];
  /** Undefined: the key does not expire. */
  readonly expiresAt?: number;
}

/** Makes, lists and revokes API keys. */
@Injectable()
export class KeyService {
  constructor(
    private readonly keys: KeyStore,
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly cache: KeyCache,
  ) {}

  /** Makes a key. Its secret is in the answer and nowhere else: it cannot be read again. */
  async create(wanted: NewKey): Promise<{ readonly key: ApiKey; readonly secret: string }> {
    const secret = makeApiKey();
    return { key: await this.add(wanted, secret), secret };
  }

  /** Makes a key where there is none, in any namespace. Undefined where there is one, or another process was faster. */
  async createFirst(wanted: NewKey): Promise<{ readonly key: ApiKey; readonly secret: string } | undefined> {
    const secret = makeApiKey();
    const key = this.keyOf(wanted, secret);
    const isFirst = await this.keys.addFirst(key);
    this.cache.clear();
    return isFirst ? { key, secret } : undefined;
  }

  /** Makes a key of a secret that somebody chose; does nothing when it exists. */
  async ensure(wanted: NewKey, secret: string): Promise<ApiKey> {
    const find = (): Promise<ApiKey | undefined> => this.keys.findByHash(hashOfKey(secret));
    const known = await find();
    if (known !== undefined) return known;
    const made = await this.add(wanted, secret);
    return (await find()) ?? made; // another process may have made it meanwhile
  }

  /** The keys of a namespace, newest first, those that are no longer valid included. */
  list(namespace: string): Promise<readonly ApiKey[]> {
    return this.keys.list(namespace);
  }

  /** Ends a key's life; false when there is no such key or it was revoked before. Other processes follow in 5 s. */
  async revoke(namespace: string, id: string): Promise<boolean> {
    const isRevoked = await this.keys.revoke(namespace, id, this.clock.now());
    this.cache.clear();
    return isRevoked;
  }

  private async add(wanted: NewKey, secret: string): Promise<ApiKey> {
    const key = this.keyOf(wanted, secret);
    await this.keys.add(key);
    this.cache.clear();
    return key;
  }
  private keyOf(wanted: NewKey, secret: string): ApiKey {
    return {
      ...wanted,
      id: this.ids.next('key'),
      hash: hashOfKey(secret),
      createdAt: this.clock.now(),
    };
  }
}
