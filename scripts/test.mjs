/**
 * `npm test [-- [--lane NAME]... [NAME]...]`: runs the test lanes, cheapest first.
 *
 * Names select spec files by a part of their path. Builds first when dist is stale. The last line is
 * `N passed, N failed`, with `, N skipped` where any was. Under CI=true a service that is missing, or a suite
 * that is skipped whole, is a failure.
 */
import './ensure-node.mjs';

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';

import { buildIfStale } from './build.mjs';
import { lanes, specsOf } from './lanes.mjs';
import { fromRoot, root } from './root.mjs';
import { findServices } from './services.mjs';

const IN_CI = process.env.CI === 'true';
const MAX_WORKERS = 2;
const SLOW_LANE_TIMEOUT_MS = 30_000;
/** More spec files than these failed for a reason. */
const MAX_SECOND_TRIES = 3;
const NONE = { passed: 0, failed: 0, skipped: 0 };
const NODE_OPTIONS = [
  process.env.NODE_OPTIONS,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
]
  .filter(Boolean)
  .join(' ');

/**
 * Runs lanes and prints what they print.
 *
 * @param laneNames which lanes, none means all
 * @param names parts of the paths of spec files, none means all
 */
export async function runLanes(laneNames = [], names = []) {
  const selected = select(laneNames, names);
  if (selected.length === 0) return failure(nothingFound(laneNames, names));
  const built = await buildIfStale();
  const missing = await findServices(selected.flatMap(({ specs }) => specs));
  return sumOf([
    ...(built ? [] : [failure('The build failed, so the lanes that use what it makes are left out.')]),
    ...missing.map(IN_CI ? failure : notice),
    ...selected
      .filter(({ lane }) => built || !lane.needsBuild)
      .map(({ lane, specs }) => runLane(lane, specs)),
  ]);
}

/** The closing line: `N passed, N failed`, and `, N skipped` where any was. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function select(laneNames, names) {
  const unknown = laneNames.filter((name) => !lanes.some((lane) => lane.name === name));
  if (unknown.length > 0) return [];
  return lanes
    .filter(({ name, isApart }) => (laneNames.length === 0 ? !isApart : laneNames.includes(name)))
    .map((lane) => ({ lane, specs: specsOf(lane, names) }))
    .filter(({ specs }) => specs.length > 0);
}

function nothingFound(laneNames, names) {
  const where = laneNames.length === 0 ? 'any lane' : `lane ${laneNames.join(', ')}`;
  const what = names.length === 0 ? '' : ` with ${names.map((name) => `"${name}"`).join(' or ')} in its path`;
  return `No spec file${what} in ${where}. Lanes: ${lanes.map(({ name }) => name).join(', ')}.`;
}

function runLane(lane, specs) {
  console.log(`\n== ${lane.name}: ${specs.length} spec file${specs.length === 1 ? '' : 's'}`);
  const counts = sumOf(tryTwice(lane, specs));
  console.log(`== ${lane.name}: ${closingLine(counts)}`);
  return counts;
}

/**
 * A spec file that failed beside others is tried once more, alone: the counts of its second try stand. What passed
 * only then is told of as unsteady, since something in it depends on speed or order.
 */
function tryTwice(lane, specs) {
  const first = runJest(lane, specs);
  const failed = failedSpecs(first.report);
  if (failed.length === 0 || failed.length > MAX_SECOND_TRIES) return [countsOf(first)];
  const second = runJest({ ...lane, inBand: true }, failed);
  const stillFailed = failedSpecs(second.report);
  for (const spec of failed.filter((path) => !stillFailed.includes(path))) {
    console.log(`\n!! UNSTEADY: ${spec} failed beside others, and passed alone.`);
  }
  return [countsOf({ ...first, report: without(first.report, failed), status: 0 }), countsOf(second)];
}

function runJest(lane, specs) {
  const reportPath = fromRoot('.cache', `test-${lane.name}-${process.pid}.json`);
  mkdirSync(fromRoot('.cache'), { recursive: true });
  const { status } = spawnSync(process.execPath, jestArguments(lane, specs, reportPath), {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS },
  });
  return { report: readReport(reportPath), status };
}

function failedSpecs(report) {
  return (report?.testResults ?? [])
    .filter(({ status }) => status === 'failed')
    .map(({ name }) => relative(root, name));
}

function without(report, specs) {
  return {
    ...report,
    testResults: report.testResults.filter(({ name }) => !specs.includes(relative(root, name))),
  };
}

function jestArguments(lane, specs, reportPath) {
  return [
    fromRoot('node_modules/jest/bin/jest.js'),
    '--json',
    `--outputFile=${reportPath}`,
    ...(lane.inBand ? ['--runInBand'] : [`--maxWorkers=${MAX_WORKERS}`]),
    ...(lane.needsBuild ? [`--testTimeout=${SLOW_LANE_TIMEOUT_MS}`] : []),
    ...(IN_CI ? ['--ci'] : []),
    '--runTestsByPath',
    ...specs,
  ];
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/** A suite that could not be loaded counts as one failure, and so does a run that ended badly without a failed test. */
function countsOf({ report, status }) {
  const suites = report?.testResults ?? [];
  const tests = suites.flatMap(({ assertionResults }) => assertionResults);
  const countOf = (...statuses) => tests.filter((test) => statuses.includes(test.status)).length;
  const unloaded = suites.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  const broken = countOf('failed') + unloaded.length;
  const failed = status === 0 ? broken : Math.max(broken, 1);
  const skippedSuites = IN_CI ? listSkippedSuites(report) : [];
  return sumOf([
    { passed: countOf('passed'), failed, skipped: countOf('pending', 'todo') },
    ...skippedSuites.map((suite) => failure(`Every test of ${suite} was skipped.`)),
  ]);
}

function listSkippedSuites(report) {
  return (report?.testResults ?? [])
    .filter(({ assertionResults }) => assertionResults.length > 0)
    .filter(({ assertionResults }) => assertionResults.every((test) => test.status === 'pending'))
    .map(({ name }) => relative(root, name));
}

function sumOf(results) {
  const total = { ...NONE };
  for (const counts of results) {
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

function failure(text) {
  console.log(`\n!! FAILED: ${text}`);
  return { ...NONE, failed: 1 };
}

function notice(text) {
  console.log(`\n!! SKIPPED: ${text}`);
  return NONE;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { lane: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  const total = await runLanes(values.lane, positionals);
  console.log(`\n${closingLine(total)}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
