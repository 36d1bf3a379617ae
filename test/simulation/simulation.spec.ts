/** The engine keeps its promises whatever its store, network and processes do, for every seed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SEEDS = 2_000;

/** Far more than it takes, for machines that do much else. */
const DEADLINE_MS = 240_000;

const run = promisify(execFile);

async function simulate(...options: readonly string[]): Promise<string> {
  try {
    return (await run(process.execPath, ['scripts/simulate.mjs', ...options])).stdout;
  } catch (error) {
    throw new Error((error as { readonly stdout?: string }).stdout ?? String(error), { cause: error });
  }
}

describe('simulated processes over one record', () => {
  it(
    'violate no invariant',
    async () => {
      const said = await simulate('--seeds', String(SEEDS));
      expect(said).toMatch(new RegExp(`^${String(SEEDS)} seeds from 1 .*; 0 violated$`, 'm'));
      const [, events = '', calls = '', faults = ''] =
        /: (\d+) events, (\d+) calls, (\d+) faults/.exec(said) ?? [];
      for (const count of [events, calls, faults]) expect(Number(count)).toBeGreaterThan(SEEDS);
    },
    DEADLINE_MS,
  );

  it(
    'do exactly the same again from the same seed, and something else from another',
    async () => {
      const [first, again, other] = await Promise.all([
        simulate('--seed', '43'),
        simulate('--seed', '43'),
        simulate('--seed', '44'),
      ]);
      expect(first).toMatch(/^seed 43, trace [0-9a-f]{64}: 0 violations$/m);
      expect(again).toBe(first);
      expect(other).not.toBe(first);
    },
    DEADLINE_MS,
  );
});
