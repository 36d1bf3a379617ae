/**
 * `npm run bench [-- NAME... --json]`: runs the benchmarks test/bench/*.bench.mjs, one process each, one after the other.
 *
 * A benchmark is plain JavaScript that imports what it measures from dist, so it measures what is shipped.
 */
import './ensure-node.mjs';

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

import { buildIfStale } from './build.mjs';
import { root } from './root.mjs';

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const names = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const benches = globSync('test/bench/*.bench.mjs', { cwd: root })
  .filter((path) => names.length === 0 || names.some((name) => path.includes(name)))
  .sort();

if (benches.length === 0) {
  console.error(
    `No benchmark test/bench/*.bench.mjs${names.length > 0 ? ` named ${names.join(' or ')}` : ''}.`,
  );
  process.exitCode = 1;
} else if (await buildIfStale()) {
  for (const path of benches) {
    if (!options.includes('--json')) console.log(`\n== ${path}`);
    const { status } = spawnSync(process.execPath, ['--expose-gc', path, ...options], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
  }
} else {
  process.exitCode = 1;
}
