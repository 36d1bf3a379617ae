/** When to try again, read from the headers of a refusal. */

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens'] as const;

/** Header names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string>>;

/**
 * Milliseconds until another try makes sense, or undefined when the headers do not tell.
 *
 * `retry-after` wins (RFC 9110 §10.2.3: seconds or an HTTP date). Else the latest reset among Anthropic's limits
 * that are used up, or among all of them when none says that it is. `now` is milliseconds since the epoch.
 */
export function resetDelayMs(headers: ResponseHeaders, now: number): number | undefined {
  return retryAfterMs(headers['retry-after'], now) ?? limitResetMs(headers, now);
}

function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  return until(value, now);
}

function limitResetMs(headers: ResponseHeaders, now: number): number | undefined {
  const of = (limit: string, field: string): string | undefined =>
    headers[`anthropic-ratelimit-${limit}-${field}`];
  const usedUp = LIMITS.filter((limit) => of(limit, 'remaining')?.trim() === '0');
  const delays = (usedUp.length > 0 ? usedUp : LIMITS)
    .map((limit) => until(of(limit, 'reset'), now))
    .filter((delay) => delay !== undefined);
  return delays.length > 0 ? Math.max(...delays) : undefined;
}

function until(date: string | undefined, now: number): number | undefined {
  const instant = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(instant) ? undefined : Math.max(0, instant - now);
}
