/** Simulates many seeds on several threads. */
import { Worker } from 'node:worker_threads';

import { bundle } from './bundle.mjs';

const ENTRY = 'test/simulation/simulation.worker.ts';

/** Seeds that a thread takes at once. */
const RANGE = 50;

/**
 * @param options `from` the first seed, `count` how many, `threads` at once, `until` the violation `{ invariant,
 *   message }` after which the rest is left out, `defect` what is planted (see bundle.mjs) and `name` what it is called
 * @returns counts, and the simulations in which something was violated, by seed
 */
export async function simulateSeeds({ from, count, threads = 2, until, defect, name = 'engine' }) {
  const file = await bundle(ENTRY, name, defect);
  const ranges = rangesOf(from, count, until);
  const results = [];
  const work = async () => {
    const worker = new Worker(file);
    try {
      for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
        const result = await ask(worker, range);
        results.push({ from: range.from, ...result });
        if (find(result, until)) ranges.length = 0;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return sumOf(results.toSorted((a, b) => a.from - b.from));
}

/**
 * Plays one of the scenarios that have no seed (see simulation.worker.ts).
 *
 * @returns what was violated
 */
export async function playScenario(scenario, { defect, name = 'engine' } = {}) {
  const worker = new Worker(await bundle(ENTRY, name, defect));
  try {
    return await ask(worker, { scenario });
  } finally {
    await worker.terminate();
  }
}

/** The first violation of a kind, with its seed; undefined where there is none. */
export function find({ violated }, wanted) {
  if (wanted === undefined) return undefined;
  for (const { seed, violations } of violated) {
    const violation = violations.find(
      ({ invariant, message }) => invariant === wanted.invariant && wanted.message.test(message),
    );
    if (violation !== undefined) return { seed, ...violation };
  }
  return undefined;
}

function rangesOf(from, count, until) {
  return Array.from({ length: Math.ceil(count / RANGE) }, (_, index) => ({
    from: from + index * RANGE,
    count: Math.min(RANGE, count - index * RANGE),
    ...(until && { until }),
  }));
}

function ask(worker, range) {
  return new Promise((resolve, reject) => {
    const settle = (then) => (value) => {
      for (const [event, listener] of listeners) worker.off(event, listener);
      then(value);
    };
    const listeners = [
      ['message', settle(resolve)],
      ['error', settle(reject)],
      ['exit', settle((code) => reject(new Error(`the simulator ended with ${code}`)))],
    ];
    for (const [event, listener] of listeners) worker.on(event, listener);
    worker.postMessage(range);
  });
}

function sumOf(results) {
  const sum = (of) => results.reduce((total, result) => total + of(result), 0);
  return {
    seeds: sum(({ seeds }) => seeds),
    events: sum(({ events }) => events),
    calls: sum(({ calls }) => calls),
    faults: sum(({ faults }) => faults),
    traceHashes: results.flatMap(({ traceHashes }) => traceHashes),
    violated: results.flatMap(({ violated }) => violated).toSorted((a, b) => a.seed - b.seed),
  };
}
