/** Tasks for the test of the worker pool; plain JavaScript, because a thread has no transformer. */
export function double(input) {
  return input * 2;
}

export function spin() {
  for (;;);
}

export function hoard() {
  const kept = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
}

export function refuse() {
  throw Object.assign(new Error('no'), {
    [Symbol.for('ensemble.AppError')]: true,
    failure: { code: 'test.refused', kind: 'unprocessable', message: 'no', retryable: false },
  });
}

export async function fail() {
  throw new Error('a bug');
}
