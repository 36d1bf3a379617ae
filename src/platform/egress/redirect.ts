/**
 * Where a redirect leads, and what travels on (Fetch standard, HTTP-redirect fetch).
 *
 * Stricter than the standard in one thing: to another origin only headers travel that say nothing about who calls.
 */

/** One request on its way, before it is sent. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** Undefined for none; a stream can be sent once only. */
  readonly body: unknown;
}

export const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const OF_THE_BODY = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];
/** Known to carry no credentials. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...OF_THE_BODY,
  ...['accept', 'accept-language', 'idempotency-key', 'traceparent', 'user-agent'],
]);

/** Whether an answer sends its caller somewhere else. */
export function isRedirect(status: number, location: string | null): location is string {
  return location !== null && REDIRECTS.has(status);
}

/** The request that a redirect asks for, or why it can not be made. */
export function nextHop(hop: Hop, status: number, location: string): Hop | string {
  const url = URL.parse(location, hop.url.href);
  if (url === null) return 'it redirects to something that is not an address';
  const dropsBody = dropsBodyOf(hop.method, status);
  if (!dropsBody && isStream(hop.body)) return 'it redirects a body that can be sent only once';
  const headers = new Headers(hop.headers);
  const isElsewhere = url.origin !== hop.url.origin;
  for (const name of [...headers.keys()])
    if ((dropsBody && OF_THE_BODY.includes(name)) || (isElsewhere && !HARMLESS.has(name)))
      headers.delete(name);
  return dropsBody ? { url, method: 'GET', headers, body: undefined } : { ...hop, url, headers };
}

function dropsBodyOf(method: string, status: number): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return method === 'POST' && (status === 301 || status === 302);
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
