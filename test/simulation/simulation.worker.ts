/** A thread that simulates: is sent a range of seeds at a time, and answers what they came to. */
import { parentPort } from 'node:worker_threads';

import type { Violation } from '../support/invariants/evidence.js';
import { simulate, type Simulated } from './simulate.js';
import { sendTraceAcrossADeath } from './trace-scenario.js';

/** Seeds to simulate. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
  /** What leaves the rest out once it was violated; absent: nothing. */
  readonly until?: WantedViolation;
}

/** A violation that is looked for. */
interface WantedViolation {
  readonly invariant: string;
  readonly message: RegExp;
}

/** Something that is played once, without a seed. */
export interface ScenarioName {
  readonly scenario: keyof typeof SCENARIOS;
}

const SCENARIOS = { sendTraceAcrossADeath };

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

async function simulateRange({ from, count, until }: SeedRange): Promise<RangeResult> {
  const all: Simulated[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const simulated = await simulate(seed);
    all.push(simulated.violations.length > 0 ? simulated : { ...simulated, trace: [] });
    if (until !== undefined && simulated.violations.some((violation) => isWanted(violation, until))) break;
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

function isWanted({ invariant, message }: Violation, wanted: WantedViolation): boolean {
  return invariant === wanted.invariant && wanted.message.test(message);
}

parentPort?.on('message', (order: SeedRange | ScenarioName) => {
  const work = 'scenario' in order ? SCENARIOS[order.scenario]() : simulateRange(order);
  void work.then((result) => {
    parentPort?.postMessage(result);
  });
});
