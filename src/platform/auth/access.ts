/**
 * Rules of access that need no store.
 *
 * Decided here: what counts as loopback, which origin is our own, where a key may stand in a request. Decided
 * elsewhere: whether keys exist and whether a key is valid (auth.service.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { authErrors } from './auth.errors.js';

/** Longest key that is looked at. */
const MAX_KEY_LENGTH = 512;
/** Query parameters in which people put keys; a query ends in logs and histories. */
const KEY_IN_QUERY = /[?&](?:access_token|api_key|apikey|token)=|=ens_/i;

/** Where a request comes from, as its headers tell. */
export interface Provenance {
  /** The header `Host`, port included. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** True for names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/**
 * Why a request must not be served while the service is open; undefined when it may.
 *
 * A page of another site can make a browser on this machine send requests here; its `Origin` tells, and a name that
 * was rebound to this machine shows in `Host`.
 */
export function refuseWhileOpen({ host, origin }: Provenance): Failure | undefined {
  if (host === undefined || !isLoopback(host.replace(/:\d{1,5}$/, ''))) {
    return forbidden('While no API key exists, the Host must be a loopback name such as localhost');
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return forbidden('While no API key exists, requests of pages of other origins are refused');
  }
  return undefined;
}

/** The key that a request carries in its headers; undefined when there is none. */
export function keyOfHeaders(
  authorization: string | undefined,
  apiKey: string | undefined,
): string | undefined {
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  const key = bearer ?? apiKey;
  return key === undefined || key.length > MAX_KEY_LENGTH ? undefined : key;
}

/** True when a URL carries something in its query that looks like a key. */
export function hasKeyInQuery(url: string): boolean {
  return KEY_IN_QUERY.test(url);
}

function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return ['http:', 'https:'].includes(url.protocol) && url.host === host.toLowerCase();
}

function forbidden(message: string): Failure {
  return failureOf(authErrors['auth.forbidden'], message);
}
