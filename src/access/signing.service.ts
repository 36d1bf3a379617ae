import { createHmac, hkdfSync } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { SecurityConfig, StorageConfig } from '../platform/config/app.config.js';
import { TokenSigner } from '../platform/ports/token-signer.js';
import { KEY_BYTES } from './secret-box.js';
import { loadKey } from './secret-key.js';

/** HMAC-SHA-256 with a key for each purpose, derived (RFC 5869) from the one that secrets are encrypted with. */
@Injectable()
export class SigningService extends TokenSigner {
  private readonly keys = new Map<string, Buffer>();

  constructor(
    private readonly security: SecurityConfig,
    private readonly storage: StorageConfig,
  ) {
    super();
  }

  override async sign(purpose: string, text: string): Promise<string> {
    const key = this.keys.get(purpose) ?? (await this.keyFor(purpose));
    return createHmac('sha256', key).update(text).digest('base64url');
  }

  /** Purposes are few and named in the source, so the keys are kept. */
  private async keyFor(purpose: string): Promise<Buffer> {
    const key = await loadKey(this.security, this.storage);
    const derived = Buffer.from(hkdfSync('sha256', key, '', `ensemble sign ${purpose}`, KEY_BYTES));
    this.keys.set(purpose, derived);
    return derived;
  }
}
