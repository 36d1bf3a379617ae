/** A thread that simulates: is sent a range of seeds at a time, and answers what they came to. */
import { parentPort } from 'node:worker_threads';

import { simulate, type Simulated } from './simulate.js';

/** Seeds to simulate. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
  /** Whether to leave the rest out once something was violated. */
  readonly stopsAtFirst: boolean;
}

/** What a range came to. */
export interface RangeResult {
  readonly seeds: number;
  readonly events: number;
  readonly calls: number;
  readonly faults: number;
  /** Of every seed, in order. */
  readonly traceHashes: readonly string[];
  /** The simulations in which something was violated. */
  readonly violated: readonly Simulated[];
}

async function simulateRange({ from, count, stopsAtFirst }: SeedRange): Promise<RangeResult> {
  const all: Simulated[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const simulated = await simulate(seed);
    all.push(simulated.violations.length > 0 ? simulated : { ...simulated, trace: [] });
    if (stopsAtFirst && simulated.violations.length > 0) break;
  }
  const sum = (of: (one: Simulated) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    seeds: all.length,
    events: sum(({ events }) => events),
    calls: sum(({ calls }) => calls),
    faults: sum(({ faults }) => faults),
    traceHashes: all.map(({ traceHash }) => traceHash),
    violated: all.filter(({ violations }) => violations.length > 0),
  };
}

parentPort?.on('message', (range: SeedRange) => {
  void simulateRange(range).then((result) => {
    parentPort?.postMessage(result);
  });
});
