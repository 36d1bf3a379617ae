import { createHash, randomBytes } from 'node:crypto';

/** What opens one lease of one task: the worker gets the token, the record keeps only its hash. */
export interface TaskToken {
  readonly token: string;
  readonly hash: string;
}

/** A fresh token of 256 random bits. */
export function makeTaskToken(): TaskToken {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashOfToken(token) };
}

/** The SHA-256 of a token, hexadecimal. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
