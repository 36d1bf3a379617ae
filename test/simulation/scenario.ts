/** What happens in a simulation beside its faults: runs, their agents, and what people ask of them, from a seed. */
import fc from 'fast-check';

import {
  arbitraryDefinition,
  arbitraryScript,
  type ArbitraryDefinition,
} from '../support/arbitrary-definition.js';
import type { Script } from '../support/simulated-run.js';
import type { InboxCommand } from '../../src/runs/run.inbox.js';
import type { SeededRandom } from './seeded-random.js';
import { shapeOf } from './shapes.js';

/** Something that somebody asks of a run. */
export interface Request {
  readonly atMs: number;
  readonly run: number;
  readonly command: InboxCommand;
}

export interface Scenario {
  readonly definitions: readonly ArbitraryDefinition[];
  readonly script: Script;
  readonly processes: number;
  readonly maxConcurrentRuns: number;
  readonly maxParallelSteps: number;
  /** When the last fault may come, in milliseconds from the start. */
  readonly faultsForMs: number;
  /** How long a call of an agent takes at most, in milliseconds. */
  readonly paceMs: number;
  /** How likely it is that a call to the record goes wrong, in [0, 1). */
  readonly faultProbability: number;
  readonly requests: readonly Request[];
  /** When the wall clock is set, and how far off, in milliseconds. */
  readonly clockSteps: readonly { readonly atMs: number; readonly offsetMs: number }[];
}

const MAX_STEPS = 6;
const HOUR_MS = 3_600_000;

export function scenarioOf(seed: number, random: SeededRandom): Scenario {
  const runs = random.pick([1, 1, 2, 3]);
  const [sample] = fc.sample(
    fc.record({
      definitions: fc.array(arbitraryDefinition(MAX_STEPS), { minLength: runs, maxLength: runs }),
      script: arbitraryScript(),
    }),
    { seed, numRuns: 1 },
  );
  if (sample === undefined) throw new Error('nothing was sampled');
  return {
    ...sample,
    definitions: sample.definitions.map((one) => (random.chance(0.6) ? shapeOf(random) : one)),
    processes: random.pick([1, 2, 2, 3]),
    maxConcurrentRuns: random.pick([1, 2, 10]),
    maxParallelSteps: random.pick([1, 2, 5]),
    faultsForMs: random.pick([0, 2_000, 8_000, 8_000, 16_000]),
    paceMs: random.pick([40, 40, 1_500]),
    faultProbability: random.pick([0.05, 0.05, 0.2]),
    requests: Array.from({ length: runs }, (_, run) => requestsFor(run, random)).flat(),
    clockSteps: random.chance(0.3) ? clockSteps(random) : [],
  };
}

/** Most runs are left alone; a run that is paused is resumed in the end. */
function requestsFor(run: number, random: SeededRandom): readonly Request[] {
  const soon = (): number => random.below(random.pick([30, 400, 3_000]));
  const signal: Request = {
    atMs: soon(),
    run,
    command: { type: 'signal', name: 'never', data: { of: run } },
  };
  const signals = random.chance(0.5) ? [signal] : [];
  switch (random.below(5)) {
    case 0: {
      const command: InboxCommand = { type: 'cancel', reason: 'enough', compensate: random.chance(0.5) };
      return [...signals, { atMs: soon(), run, command }];
    }
    case 1: {
      const atMs = soon();
      return [
        ...signals,
        { atMs, run, command: { type: 'pause' } },
        { atMs: atMs + soon(), run, command: { type: 'resume' } },
      ];
    }
    default:
      return signals;
  }
}

function clockSteps(random: SeededRandom): Scenario['clockSteps'] {
  return [
    { atMs: random.below(200), offsetMs: random.pick([-HOUR_MS, HOUR_MS]) },
    { atMs: 200 + random.below(3_000), offsetMs: random.pick([-10_000, 0]) },
  ];
}
