/**
 * `npm run verify`: everything that must hold before a commit.
 *
 * Runs every check even when an earlier one fails, then all test lanes. A check that fails counts as one failure in
 * the last line, `N passed, N failed`.
 */
import './ensure-node.mjs';

import { spawnSync } from 'node:child_process';

import { buildIfStale } from './build.mjs';
import { root } from './root.mjs';
import { closingLine, runLanes } from './test.mjs';

const CHECKS = ['format:check', 'typecheck', 'lint', 'imports', 'dead'];

// Processes that tests start, and benchmarks, import what is built: the checks of imports look for it.
const isBuilt = await buildIfStale();
const failedChecks = CHECKS.filter((name) => {
  console.log(`\n== ${name}`);
  return spawnSync('npm', ['run', '--silent', name], { cwd: root, stdio: 'inherit' }).status !== 0;
});

if (!isBuilt) failedChecks.push('build');

const total = await runLanes();
for (const name of failedChecks) console.log(`\n!! FAILED: npm run ${name}`);
total.failed += failedChecks.length;
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
