/**
 * Names of traces and spans, derived from what they are about: whoever makes a span, before or after a crash, gives it
 * the same name, and a call can carry the context of its span before that span is made.
 *
 * W3C Trace Context §3.2: a trace id is 16 bytes, a span id is 8, in lower-case hexadecimal, neither all zero.
 */

/** The trace of a run. */
export function traceIdOf(runId: string): string {
  const own = /^run_([0-9a-f]{32})$/.exec(runId)?.[1];
  return own !== undefined && /[^0]/.test(own) ? own : hash64(runId) + hash64(`${runId}:2`);
}

/**
 * A span of a run.
 *
 * @param name what the span is about: unique within the run
 */
export function spanIdOf(runId: string, name: string): string {
  return hash64(`${runId}\n${name}`);
}

/** The name of the span of an attempt. */
export function attemptSpan(path: string, attempt: number): string {
  return `attempt ${path} ${attempt}`;
}

/**
 * The value of the header `traceparent` of a call that an attempt makes, marked as sampled.
 *
 * @param stableKey `runId:stepPath:generation`
 * @returns undefined for a call outside a run
 */
export function traceparentOf(stableKey: string, attempt: number): string | undefined {
  const [, runId, path] = /^(run_[0-9a-f]+):(.+):\d+$/.exec(stableKey) ?? [];
  if (runId === undefined || path === undefined) return undefined;
  return `00-${traceIdOf(runId)}-${spanIdOf(runId, attemptSpan(path, attempt))}-01`;
}

const FNV_OFFSET = 0xcbf2_9ce4_8422_2325n;
const FNV_PRIME = 0x0000_0100_0000_01b3n;

/** FNV-1a of the UTF-16 code units, 64 bits, in hexadecimal; never all zero. */
function hash64(text: string): string {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * FNV_PRIME);
  }
  return (hash === 0n ? FNV_OFFSET : hash).toString(16).padStart(16, '0');
}
