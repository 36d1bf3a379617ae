/**
 * `npm run simulate [-- --seeds 20000] [--from 1] [--threads 2]`: the engine over a fake store, clock and network.
 * `npm run simulate -- --seed 4711` replays one seed, and prints what happened in it.
 *
 * Exits with 1 when something was violated; each such seed is printed.
 */
import './ensure-node.mjs';

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { bundle } from '../test/simulation/bundle.mjs';
import { simulateSeeds } from '../test/simulation/simulators.mjs';

const MAX_SHOWN = 10;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    seed: { type: 'string' },
  },
});

process.exitCode = values.seed === undefined ? await many(values) : await one(Number(values.seed));

async function many({ seeds, from, threads }) {
  const startedAt = performance.now();
  const result = await simulateSeeds({ from: Number(from), count: Number(seeds), threads: Number(threads) });
  for (const { seed, violations } of result.violated.slice(0, MAX_SHOWN)) show(seed, violations);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const did = `${result.events} events, ${result.calls} calls, ${result.faults} faults`;
  console.log(
    `${result.seeds} seeds from ${from} in ${seconds} s: ${did}; ${result.violated.length} violated`,
  );
  return result.violated.length === 0 ? 0 : 1;
}

async function one(seed) {
  const file = await bundle('test/simulation/simulate.ts', 'one');
  const { simulate } = await import(pathToFileURL(file).href);
  const { violations, trace, traceHash } = await simulate(seed);
  console.log(trace.join('\n'));
  show(seed, violations);
  console.log(`seed ${seed}, trace ${traceHash}: ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function show(seed, violations) {
  for (const { invariant, runId = '', path = '', message } of violations.slice(0, MAX_SHOWN))
    console.log(`seed ${seed}: ${invariant} ${runId} ${path} ${message}`);
}
