/**
 * Signatures of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, so that a
 * receiver knows who sent what, and when.
 */
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const FRESH_BYTES = 32;

/** The form of a secret: `whsec_` and 24 to 64 bytes in base64. */
export const SECRET_FORM = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;

/** A secret of our own making. */
export function makeSecret(): string {
  return PREFIX + randomBytes(FRESH_BYTES).toString('base64');
}

/** What is signed. */
export interface SignedMessage {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers that a message travels with. */
export function signedHeaders(
  secret: string,
  { id, timestamp, body }: SignedMessage,
): Record<string, string> {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}
