/** The test lanes, cheapest first, and which spec files belong to each. */
import { globSync } from 'node:fs';

import { root } from './root.mjs';

/** Left out with FAULT_SIZE=short: nothing of them can be had in a short time. */
const LONG_FAULTS = [
  'test/faults/disk-full.spec.ts',
  'test/faults/dropping-clients.spec.ts',
  'test/faults/past-retention.spec.ts',
  'test/faults/poison.spec.ts',
  'test/faults/sandbox.spec.ts',
  'test/faults/scaling.spec.ts',
];

/** In which order lanes run, where their specs are, and how. */
export const lanes = [
  { name: 'unit', specs: 'src/**/*.spec.ts' },
  { name: 'architecture', specs: 'test/architecture/**/*.spec.ts' },
  { name: 'property', specs: 'test/property/**/*.spec.ts' },
  { name: 'replay', specs: 'test/replay/**/*.spec.ts' },
  { name: 'simulation', specs: 'test/simulation/**/*.spec.ts' },
  { name: 'contract', specs: 'test/contract/**/*.spec.ts', needsBuild: true },
  { name: 'e2e', specs: 'test/e2e/**/*.spec.ts', needsBuild: true, inBand: true },
  { name: 'crash', specs: 'test/crash/**/*.spec.ts', needsBuild: true, inBand: true },
  // Minutes long: only when it is asked for by its name.
  {
    name: 'faults',
    specs: 'test/faults/**/*.spec.ts',
    leftOut: process.env.FAULT_SIZE === 'short' ? LONG_FAULTS : [],
    needsBuild: true,
    inBand: true,
    isApart: true,
  },
];

/** Words by which people ask for a folder that has another name. */
const ALIASES = {
  'prompt-template': 'templates',
  'prompt-templates': 'templates',
  orchestration: 'patterns',
  orchestrations: 'patterns',
};

/**
 * The spec files of a lane whose path has one of the names in it.
 *
 * @param names parts of a path, letter case ignored; none means every file
 * @returns paths from the repository's folder, sorted
 */
export function specsOf(lane, names) {
  const wanted = names.map((name) => (ALIASES[name.toLowerCase()] ?? name).toLowerCase());
  return globSync(lane.specs, { cwd: root, exclude: lane.leftOut ?? [] })
    .filter((path) => wanted.length === 0 || wanted.some((name) => path.toLowerCase().includes(name)))
    .sort();
}
