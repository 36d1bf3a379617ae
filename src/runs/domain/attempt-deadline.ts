import type { Unit } from './unit.js';

/** When the time of an attempt is up, in milliseconds since the epoch, and how much it had. */
export interface AttemptDeadline {
  readonly at: number;
  readonly timeoutMs: number;
}

/** The sooner of the attempt's own time limit and what is left of the step's. */
export function deadlineOf({
  step,
  startedAt = 0,
  firstStartedAt = startedAt,
}: Pick<Unit, 'step' | 'startedAt' | 'firstStartedAt'>): AttemptDeadline | undefined {
  const { timeoutMs, totalTimeoutMs } = step;
  const limits = [
    timeoutMs === undefined ? undefined : startedAt + timeoutMs,
    totalTimeoutMs === undefined ? undefined : firstStartedAt + totalTimeoutMs,
  ].filter((at) => at !== undefined);
  if (limits.length === 0) return undefined;
  const at = Math.min(...limits);
  return { at, timeoutMs: Math.max(0, at - startedAt) };
}
