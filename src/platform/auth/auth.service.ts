import { timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { failureOf, type Failure } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { Clock } from '../clock/clock.js';
import { ServerConfig } from '../config/app.config.js';
import type { ApiKey } from '../ports/key.store.js';
import { isLoopback, refuseWhileOpen, type Provenance } from './access.js';
import { hashOfKey } from './api-key.js';
import { authErrors } from './auth.errors.js';
import { KeyCache } from './key-cache.js';
import { OPEN_PRINCIPAL, type Principal } from './principal.js';

/** What a caller shows. */
export interface Credentials extends Provenance {
  readonly key: string | undefined;
}

/**
 * Decides who may come in, for HTTP requests and socket handshakes alike.
 *
 * Closed by default: without any key the service serves this machine only, and only when it listens on loopback;
 * with one, everybody needs a valid key, on loopback, too.
 */
@Injectable()
export class AuthService {
  private readonly isBoundToLoopback: boolean;

  constructor(
    private readonly cache: KeyCache,
    private readonly clock: Clock,
    server: ServerConfig,
  ) {
    this.isBoundToLoopback = isLoopback(server.host);
  }

  /** True while requests of this machine need no key. */
  async isOpen(): Promise<boolean> {
    return this.isBoundToLoopback && !(await this.cache.hasAny());
  }

  /** The principal behind credentials, or `auth.required` or `auth.forbidden`. Throws when the store is away. */
  async authenticate(credentials: Credentials): Promise<Result<Principal>> {
    if (await this.isOpen()) {
      const refusal = refuseWhileOpen(credentials);
      return refusal === undefined ? ok(OPEN_PRINCIPAL) : fail(refusal);
    }
    if (credentials.key === undefined) {
      return fail(required('Send an API key: `Authorization: Bearer ens_…` or `X-Api-Key: ens_…`'));
    }
    return await this.authenticateKey(credentials.key);
  }

  private async authenticateKey(secret: string): Promise<Result<Principal>> {
    const hash = hashOfKey(secret);
    const key = await this.cache.find(hash);
    if (key === undefined || !isSameHash(key.hash, hash)) return fail(required('There is no such API key'));
    const refusal = this.refuse(key);
    return refusal === undefined ? ok(principalOf(key)) : fail(refusal);
  }

  private refuse({ expiresAt, revokedAt }: ApiKey): Failure | undefined {
    if (revokedAt !== undefined) return required('The API key has been revoked');
    return expiresAt !== undefined && expiresAt <= this.clock.now()
      ? required('The API key has expired')
      : undefined;
  }
}

function principalOf({ namespace, id: keyId, role, agents }: ApiKey): Principal {
  return { namespace, keyId, role, ...(agents !== undefined && { agents }) };
}

function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function required(message: string): Failure {
  return failureOf(authErrors['auth.required'], message);
}
