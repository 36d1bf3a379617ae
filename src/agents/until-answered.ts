import { isRecordAway } from '../platform/ports/record-away.js';

/** How long to wait before the record is asked again, in milliseconds. */
const AGAIN_MS = 250;

/** The call for which the record is asked. */
export interface AskingCall {
  /** Absent outside a run. */
  readonly runId?: string | undefined;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * What the record answers to a call of a run, asked again for as long as the record is away: no step fails by that.
 * Whoever calls outside of a run is told at once.
 *
 * @param ask may be called many times, so what it does must be done once however often
 * @throws what `ask` has thrown, when the record is not away or nobody waits
 */
export async function untilAnswered<T>(ask: () => Promise<T>, { runId, signal }: AskingCall): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (runId === undefined || !isRecordAway(error) || !(await pause(AGAIN_MS, signal))) throw error;
    }
  }
}

/** Waits. False when the wait was ended. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  const over = Promise.withResolvers<undefined>();
  const end = (): void => {
    over.resolve(undefined);
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await over.promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  return !signal.aborted;
}
