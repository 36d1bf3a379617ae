import { Histogram, Registry } from 'prom-client';

import { estimates, observe, type Histogram as Counts } from './domain/histogram.js';
import { DurationMeter } from './duration-meter.js';

const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

const durations: Counts = new Map();
for (const [milliseconds, times] of [
  [0, 3],
  [7, 2],
  [260, 1],
  [61_000, 4],
  [9_000_000, 2],
] as const)
  observe(durations, milliseconds, times);

describe('DurationMeter', () => {
  it('tells nothing where there are labels, and noughts where there is none, before anything was counted', async () => {
    const registry = new Registry();
    new DurationMeter('a_seconds', 'Time', 'agent').registerAt(registry);
    new DurationMeter('b_seconds', 'Time').registerAt(registry);

    const text = await registry.metrics();
    expect(text).not.toContain('a_seconds_count');
    expect(text).toContain('b_seconds_count 0');
  });

  it.each([undefined, 'agent'])(
    'tells Prometheus what the histogram of prom-client would, label %s',
    async (label) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const meter = new DurationMeter('took_seconds', 'Time', label).registerAt(ours);
      const labelNames = label === undefined ? [] : [label];
      const options = {
        name: 'took_seconds',
        help: 'Time',
        labelNames,
        buckets: BUCKETS,
        registers: [theirs],
      };
      const histogram = new Histogram(options);

      for (const value of label === undefined ? [''] : ['a "b"', 'c']) {
        meter.count(durations, value);
        meter.count(durations, value);
        const labels = label === undefined ? {} : { [label]: value };
        for (const [milliseconds, times] of [...estimates(durations), ...estimates(durations)])
          for (let n = 0; n < times; n += 1) histogram.observe(labels, milliseconds / 1_000);
      }

      expect(lines(await ours.metrics())).toEqual(lines(await theirs.metrics()));
    },
  );
});

/** Sums are rounded: they are added up in another order. */
function lines(text: string): readonly string[] {
  return text.split('\n').map((line) => {
    const [, name, value] = /^(took_seconds_sum.*) (\S+)$/.exec(line) ?? [];
    return name === undefined ? line : `${name} ${Number(value).toFixed(6)}`;
  });
}
