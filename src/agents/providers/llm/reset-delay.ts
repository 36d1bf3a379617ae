/** When to try again, read from the headers of a refusal. */

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens'] as const;

/** Header names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string>>;

/**
 * Milliseconds until another try makes sense, or undefined when the headers do not tell.
 *
 * `retry-after` wins (RFC 9110 §10.2.3: seconds or an HTTP date). Else the latest reset among the limits that are
 * used up, or among all of them when none says that it is; Anthropic names an instant (`anthropic-ratelimit-…-reset`),
 * others a span (`x-ratelimit-reset-…: 1m30s`). `now` is milliseconds since the epoch.
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
  const limits = LIMITS.flatMap((limit) => [
    {
      left: headers[`anthropic-ratelimit-${limit}-remaining`],
      delay: until(headers[`anthropic-ratelimit-${limit}-reset`], now),
    },
    { left: headers[`x-ratelimit-remaining-${limit}`], delay: spanMs(headers[`x-ratelimit-reset-${limit}`]) },
  ]);
  const usedUp = limits.filter(({ left }) => left?.trim() === '0');
  const delays = (usedUp.length > 0 ? usedUp : limits)
    .map(({ delay }) => delay)
    .filter((delay) => delay !== undefined);
  return delays.length > 0 ? Math.max(...delays) : undefined;
}

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** A span such as `6m0s`, `1.5s` or `20ms`. */
function spanMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g);
  return Math.ceil(
    parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNIT_MS[unit as keyof typeof UNIT_MS], 0),
  );
}

function until(date: string | undefined, now: number): number | undefined {
  const instant = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(instant) ? undefined : Math.max(0, instant - now);
}
