import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * Waits for something to become true, and fails past a generous deadline instead of hanging.
 *
 * @param paceMs how long to wait between two looks; with 0 it looks at each turn of the event loop, which takes a core, and
 *   of a service asks more than its rate of reads allows
 */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 10_000,
  paceMs = 10,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
    await (paceMs === 0 ? setImmediate() : setTimeout(paceMs));
  }
}
