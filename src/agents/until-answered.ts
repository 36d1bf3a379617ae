import { isRecordAway } from '../platform/ports/record-away.js';

/** How long to wait before the record is asked again, in milliseconds. */
const AGAIN_MS = 250;

/**
 * What the record answers to a call of a run, asked again for as long as the record is away: no step fails by that.
 * Whoever calls outside of a run is told at once, and does not come here.
 *
 * @param signal ends the wait
 * @throws what `ask` has thrown, when the record is not away or the wait has ended
 */
export async function untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isRecordAway(error) || !(await pause(AGAIN_MS, signal))) throw error;
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
