/**
 * The token of a link to one approval, for people without an API key.
 *
 * Decided here: what a token says, and how it is read. Decided elsewhere: its signature (platform/ports/token-signer.ts).
 * A token is `<claim>.<signature>`: the claim is JSON in base64url and no secret, the signature is what counts.
 */
import { isJsonObject } from '../kernel/json.js';

/** What a link lets its holder do, and until when. */
export interface LinkClaim {
  readonly namespace: string;
  /** The id of the approval. */
  readonly approval: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Whom it was made for. */
  readonly for?: string;
}

/** The purpose that a link is signed for. */
export const LINK_PURPOSE = 'approval-link';

/** The part of a token that is signed. */
export function encodeClaim({ namespace, approval, expiresAt, for: whom }: LinkClaim): string {
  const claim = [namespace, approval, expiresAt, ...(whom === undefined ? [] : [whom])];
  return Buffer.from(JSON.stringify({ v: 1, claim })).toString('base64url');
}

/** The two parts of a token; undefined when it is none. */
export function splitToken(
  token: string,
): { readonly signed: string; readonly signature: string } | undefined {
  const match = /^([A-Za-z0-9_-]{1,2000})\.([A-Za-z0-9_-]{43})$/.exec(token);
  return match === null ? undefined : { signed: match[1] ?? '', signature: match[2] ?? '' };
}

/** The claim of a token whose signature has been found good; undefined when it is of another version. */
export function decodeClaim(signed: string): LinkClaim | undefined {
  const json = JSON.parse(Buffer.from(signed, 'base64url').toString('utf8')) as unknown;
  if (!isJsonObject(json) || json['v'] !== 1) return undefined;
  const [namespace, approval, expiresAt, whom] = json['claim'] as [string, string, number, string?];
  return { namespace, approval, expiresAt, ...(whom !== undefined && { for: whom }) };
}
