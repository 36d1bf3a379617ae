/**
 * Plants the defects one after the other and says which promise caught each, as JSON: `{ clean, caught }`.
 *
 * `clean` has what was violated without any defect, on the same seeds. A defect that nothing caught has no `found`.
 */
import { defects } from './defects.mjs';
import { find, playScenario, simulateSeeds } from './simulators.mjs';

/** Seeds that a defect has to show itself in. */
const SEEDS = { from: 1, count: 1_000 };

const clean = [
  ...(await simulateSeeds(SEEDS)).violated,
  ...(await playScenario('sendTraceAcrossADeath')).map((violation) => ({ violations: [violation] })),
];
const caught = [];
for (const [index, defect] of defects.entries()) {
  const name = `defect-${index}`;
  const result =
    defect.by === 'seeds'
      ? await simulateSeeds({ ...SEEDS, until: defect.breaks, defect, name })
      : { violated: [{ violations: await playScenario(defect.by, { defect, name }) }] };
  caught.push({ name: defect.name, found: find(result, defect.breaks) });
}
console.log(JSON.stringify({ clean, caught }));
