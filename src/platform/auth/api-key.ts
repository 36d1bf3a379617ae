import { createHash, randomBytes } from 'node:crypto';

/** A fresh API key: `ens_` and 256 random bits. */
export function makeApiKey(): string {
  return `ens_${randomBytes(32).toString('base64url')}`;
}

/** The SHA-256 of a key, hexadecimal: all that is ever stored. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
