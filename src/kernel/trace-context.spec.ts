import { attemptSpan, spanIdOf, traceIdOf, traceparentOf } from './trace-context.js';

const RUN = 'run_0190a1b2c3d47e8f9012345678abcdef';

describe('traceIdOf', () => {
  it.each([
    [RUN, '0190a1b2c3d47e8f9012345678abcdef'],
    [`run_${'0'.repeat(32)}`, expect.stringMatching(/^(?!0+$)[0-9a-f]{32}$/)],
    ['anything', expect.stringMatching(/^(?!0+$)[0-9a-f]{32}$/)],
  ])('of %s is %s', (runId, expected) => {
    expect(traceIdOf(runId)).toEqual(expected);
    expect(traceIdOf(runId)).toBe(traceIdOf(runId));
  });
});

describe('spanIdOf', () => {
  it('is one for each name in each run', () => {
    const names = [
      'run',
      'step a',
      'step b',
      attemptSpan('a', 1),
      attemptSpan('a', 2),
      attemptSpan('a[1]', 1),
    ];
    const ids = [RUN, 'run_2'].flatMap((runId) => names.map((name) => spanIdOf(runId, name)));

    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
  });
});

describe('traceparentOf', () => {
  it.each([`${RUN}:greet:0`, `${RUN}:polish[3]/check:12`])(
    'of the stable key %s leads to the attempt',
    (key) => {
      const path = key.split(':')[1] ?? '';

      expect(traceparentOf(key, 2)).toBe(
        `00-0190a1b2c3d47e8f9012345678abcdef-${spanIdOf(RUN, attemptSpan(path, 2))}-01`,
      );
    },
  );

  it.each(['req_1', '', `${RUN}:a`, 'key:of:1'])('of %j, which is no stable key, is absent', (key) => {
    expect(traceparentOf(key, 1)).toBeUndefined();
  });
});
