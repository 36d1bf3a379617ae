/**
 * `npm run demo [-- --crash] [-- --claude]`: starts the service on a folder of its own, lets it compose a track, and
 * shows every step live over Socket.IO.
 *
 * With `--crash` the service is killed as `kill -9` does once a step has completed, and started again: the run goes on.
 * With `--claude` and ANTHROPIC_API_KEY, claude writes the parts. Ends with 0 only when the track is valid.
 */
import './ensure-node.mjs';

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildIfStale } from './build.mjs';
import { applyEvent, createBoard, lineOf, seconds } from './demo-board.mjs';
import { Screen } from './demo-screen.mjs';
import { DemoService } from './demo-service.mjs';
import { fromRoot } from './root.mjs';

const PATIENCE_MS = 300_000;
const RECONNECT_MS = 50;

const { values: options } = parseArgs({
  options: { crash: { type: 'boolean' }, claude: { type: 'boolean' } },
});
const folder = mkdtempSync(join(tmpdir(), 'ensemble-demo-'));
const dataDir = join(folder, 'data');
const service = new DemoService(dataDir);
const screen = new Screen();

// However the demo ends, its service ends, too, and leaves nothing but the track.
process.once('exit', (code) => {
  service.abandon();
  rmSync(code === 0 ? dataDir : folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));

try {
  await demo();
} catch (error) {
  screen.release();
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await service.stop();
}

async function demo() {
  const example = readExample();
  if (!(await buildIfStale())) throw new Error('the service does not build; see above');
  mkdirSync(dataDir);
  await service.start();
  screen.say(
    screen.paint(
      'bold',
      `Ensemble composes a track: ${example.input.progression.join(' ')} in ${example.input.key}`,
    ),
  );
  screen.say(screen.paint('dim', `service ${service.url}, process ${service.pid}`));
  screen.say();
  const result = await follow(await startRun(example), example.definition);
  screen.say();
  await tell(result);
}

function readExample() {
  if (options.claude === true && !process.env.ANTHROPIC_API_KEY) {
    throw new Error(
      '--claude needs ANTHROPIC_API_KEY; without it, `npm run demo` uses parts that are written already',
    );
  }
  const name = options.claude === true ? 'compose-track-claude.json' : 'compose-track.json';
  return JSON.parse(readFileSync(fromRoot('docs/examples', name), 'utf8'));
}

/** Starts the run over Socket.IO and answers it. */
async function startRun(example) {
  const { io } = await import('socket.io-client');
  const socket = io(service.url, { transports: ['websocket'] });
  const answer = await socket.timeout(10_000).emitWithAck('run.start', example);
  socket.close();
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`);
  return answer.data;
}

/** Shows a run until it ends. Answers its last event and what was seen on the way. */
async function follow(run, definition) {
  const { followRun } = await import('../docs/examples/client/follow-run.ts');
  const startedAt = performance.now();
  const seen = { run, board: createBoard(definition.steps), codes: {}, artifacts: [], crashes: 0 };
  const failed = Promise.withResolvers();
  let crashing = Promise.resolve();
  const following = followRun({
    url: service.url,
    runId: run.id,
    onEvent: (event) => {
      note(seen, event);
      if (options.crash === true && seen.crashes === 0 && event.type === 'step.completed') {
        seen.crashes += 1;
        crashing = crash();
        crashing.catch(failed.reject);
      }
    },
  });
  following.socket.io.reconnectionDelay(RECONNECT_MS);
  const late = setTimeout(
    () => failed.reject(new Error(`the run has not ended within ${seconds(PATIENCE_MS)}`)),
    PATIENCE_MS,
  );
  try {
    const last = await Promise.race([following.ended, failed.promise]);
    await crashing;
    return { ...seen, last, tookMs: performance.now() - startedAt };
  } finally {
    clearTimeout(late);
    following.stop();
    screen.release();
  }
}

/** Takes an event into what was seen, and shows it. */
function note(seen, event) {
  const { stepId, type, data } = event;
  seen.board = applyEvent(seen.board, event);
  if (typeof data.input?.code === 'string') seen.codes[stepId] = data.input.code;
  if (type === 'step.completed' && data.artifacts?.length > 0) {
    seen.artifacts = data.artifacts;
    seen.code = seen.codes[stepId];
  }
  screen.show(seen.board, Date.parse(seen.run.createdAt));
  const line = lineOf(seen.board, event);
  if (!screen.isTerminal && line !== undefined) screen.say(line);
}

async function crash() {
  const { pid } = service;
  await service.kill();
  screen.say(screen.paint('red', `kill -9 ${pid}: the service is gone, in the middle of the run`));
  await service.start();
  screen.say(screen.paint('green', `process ${service.pid} has the same folder and goes on with the run`));
  screen.say();
}

/** Tells what came of it; fails when it is not a valid track. */
async function tell({ run, last, board, code, artifacts, crashes, tookMs }) {
  if (last.type !== 'run.completed') {
    const { failure = { code: last.type, message: 'the run did not complete' } } = last.data;
    throw new Error(`${failure.code}: ${failure.message}`);
  }
  if (last.data.output.valid !== true) throw new Error('the track is not valid; the steps above say why');
  screen.say(screen.paint('bold', 'The pattern'));
  for (const line of code.trim().split('\n')) screen.say(`  ${line}`);
  screen.say();
  screen.say(screen.paint('bold', 'Its picture and its notes'));
  for (const path of await keepArtifacts(run.id, artifacts)) screen.say(`  ${path}`);
  screen.say();
  const through =
    crashes === 0 ? '' : `, through ${crashes} kill -9 (${board.interrupted} attempts interrupted)`;
  const count = `${board.steps.length} steps, ${board.events} events`;
  screen.say(screen.paint('green', `Completed in ${seconds(tookMs)}${through}: ${count}`));
}

/** Writes the artifacts of the track beside the folder of the service, and answers where. */
async function keepArtifacts(runId, artifacts) {
  return await Promise.all(
    artifacts.map(async ({ name }) => {
      const response = await fetch(`${service.url}/api/v1/runs/${runId}/artifacts/${name}`);
      if (!response.ok) throw new Error(`the artifact ${name} cannot be read: ${response.status}`);
      const path = join(folder, name);
      writeFileSync(path, Buffer.from(await response.arrayBuffer()));
      return path;
    }),
  );
}
