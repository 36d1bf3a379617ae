import type { Metric, MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client';

import { estimates } from './domain/histogram.js';

/** Upper bounds of the buckets, in seconds. */
const BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** What was counted under one label. */
interface Counted {
  /** By bound: values up to it that are above the bound before. */
  readonly buckets: number[];
  sumSeconds: number;
  count: number;
}

/**
 * A histogram for Prometheus that takes the durations of a page of the log at once. That of prom-client takes one value
 * at a time, which costs more than all else that is done with it.
 */
export class DurationMeter {
  private readonly counted = new Map<string, Counted>();

  /** @param label the name of the only label; absent: there is none */
  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly label?: string,
  ) {
    if (label === undefined) this.countedAs('');
  }

  registerAt(registry: Registry): this {
    registry.registerMetric(this as unknown as Metric);
    return this;
  }

  /** Counts durations, given as a histogram of milliseconds. */
  count(durations: ReadonlyMap<number, number>, labelled = ''): void {
    const counted = this.countedAs(labelled);
    for (const [milliseconds, times] of estimates(durations)) {
      const seconds = milliseconds / 1_000;
      const index = BOUNDS.findIndex((bound) => seconds <= bound);
      if (index >= 0) counted.buckets[index] = (counted.buckets[index] ?? 0) + times;
      counted.sumSeconds += seconds * times;
      counted.count += times;
    }
  }

  /** As prom-client asks for it. */
  get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this;
    const values = [...this.counted].flatMap(([labelled, counted]) => this.valuesOf(labelled, counted));
    return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' } as never);
  }

  private countedAs(labelled: string): Counted {
    let counted = this.counted.get(labelled);
    if (counted === undefined) {
      counted = { buckets: BOUNDS.map(() => 0), sumSeconds: 0, count: 0 };
      this.counted.set(labelled, counted);
    }
    return counted;
  }

  private valuesOf(
    labelled: string,
    { buckets, sumSeconds, count }: Counted,
  ): readonly MetricValueWithName<string>[] {
    const own: Record<string, string> = this.label === undefined ? {} : { [this.label]: labelled };
    let upTo = 0;
    const bounded = BOUNDS.map((le, index) => {
      upTo += buckets[index] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { le, ...own }, value: upTo };
    });
    return [
      ...bounded,
      { metricName: `${this.name}_bucket`, labels: { le: '+Inf', ...own }, value: count },
      { metricName: `${this.name}_sum`, labels: own, value: sumSeconds },
      { metricName: `${this.name}_count`, labels: own, value: count },
    ];
  }
}
