import { setImmediate } from 'node:timers/promises';

/** Waits for something to become true, and fails past a generous deadline instead of hanging. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 10_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
    await setImmediate();
  }
}
