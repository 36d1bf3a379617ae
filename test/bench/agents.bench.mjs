/**
 * What agents add to the work itself, in turns in the same process: one call of an `http` agent beside a bare undici
 * request to the same server, and one call of a `code` agent beside the same program in a bare QuickJS engine in a
 * thread.
 *
 * The bare engine is made anew for each call from code that is compiled already, as the sandbox does it: that is what
 * keeps programs apart.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

import { Agent, request } from 'undici';

import { CodeProvider } from '../../dist/agents/providers/code/code.provider.js';
import { SandboxPool } from '../../dist/agents/providers/code/sandbox-pool.js';
import { HttpProvider } from '../../dist/agents/providers/http/http.provider.js';
import { SystemClock } from '../../dist/platform/clock/clock.js';
import { SystemAddresses } from '../../dist/platform/egress/address.source.js';
import { Egress } from '../../dist/platform/egress/egress.js';
import { workerEntry } from '../../dist/platform/lifecycle/worker-entry.js';
import { figure, median, percentile } from './report.mjs';

const WARM_UP = 50;
const ROUNDS = { http: 1500, code: 300 };
const SOURCE = 'export default async (input) => ({ sum: input.values.reduce((a, b) => a + b, 0) })';
const LIMIT_MS = 500;
const WITHOUT_END = [
  'export default () => { for (;;); }',
  'export default () => /^(a+)+$/.test("a".repeat(60) + "!")',
  'export default () => new Promise(() => {})',
  'export default function f() { return f() + 1 }',
  'export default () => { const l = []; for (;;) l.push(new Array(10000).fill(0)) }',
  'export default () => "x".repeat(100_000_000)',
];
const INPUT = { values: Array.from({ length: 100 }, (_, index) => index) };

const server = createServer((message, response) => {
  message.resume().on('end', () => {
    response.setHeader('content-type', 'application/json').end('{"sum":4950}');
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

const egress = new Egress({ allowedHosts: ['127.0.0.1'] }, new SystemAddresses());
const http = new HttpProvider(
  egress,
  { get: () => Promise.reject(new Error('no secrets')) },
  new SystemClock(),
);
const pool = new SandboxPool({
  entry: workerEntry('agents/providers/code/sandbox/code.worker.js'),
  maxThreads: 1,
});
const code = new CodeProvider(pool, egress);
const dispatcher = new Agent();
const thread = bareThread();
const httpSettings = { url };
const codeSettings = { source: SOURCE };

await compare(ROUNDS.http, {
  ...{ name: 'http agent', ours: () => call(http, httpSettings) },
  ...{ bareName: 'bare undici request', bare: bareRequest, bar: '<= 4' },
});
await compare(ROUNDS.code, {
  ...{ name: 'code agent', ours: () => call(code, codeSettings) },
  ...{ bareName: 'bare QuickJS in a thread', bare: bareProgram, bar: '<= 2' },
});
await tellMemory();
await tellLimits();

await code.onApplicationShutdown();
await egress.onApplicationShutdown();
await dispatcher.close();
await thread.terminate();
server.close();

async function compare(rounds, { name, ours, bareName, bare, bar }) {
  const times = { ours: [], bare: [] };
  for (let round = 0; round < WARM_UP + rounds; round += 1) {
    const ourMs = await timeOf(ours);
    const bareMs = await timeOf(bare);
    if (round < WARM_UP) continue;
    times.ours.push(ourMs);
    times.bare.push(bareMs);
  }
  figure(`one call: ${name}`, median(times.ours), 'ms');
  figure(`one call: ${bareName}`, median(times.bare), 'ms');
  figure(`one call: ${name}, beside ${bareName}`, median(times.ours) / median(times.bare), 'times', bar);
  figure(`one call: ${name}, 99th percentile`, percentile(times.ours, 99), 'ms');
}

/** What is left of programs that went beyond their memory, once their threads have ended. */
async function tellMemory() {
  gc?.();
  const before = process.memoryUsage().rss;
  const bomb = { source: 'export default () => { const l = []; for (;;) l.push(new Array(10000).fill(0)) }' };
  for (let round = 0; round < 20; round += 1) await call(code, bomb, 'failed');
  gc?.();
  const left = (process.memoryUsage().rss - before) / 1024 / 1024;
  figure('memory above the level before, after 20 memory bombs', Math.max(0, left), 'MiB', '<= 64');
}

/** How soon programs without end are ended, and what those beside them notice (two threads: one for each). */
async function tellLimits() {
  const limits = new CodeProvider(
    new SandboxPool({ entry: workerEntry('agents/providers/code/sandbox/code.worker.js'), maxThreads: 2 }),
    egress,
  );
  const alone = await othersDuring(limits, Promise.resolve());
  const late = [];
  const ended = (async () => {
    for (const source of WITHOUT_END) {
      const ms = await timeOf(() => call(limits, { source, timeoutMs: LIMIT_MS }, 'failed'));
      late.push(ms - LIMIT_MS);
    }
  })();
  const beside = await othersDuring(limits, ended);
  figure('programs without end: latest end after their limit', Math.max(...late), 'ms', '<= 250');
  figure(
    'programs beside them: 99th percentile above that alone',
    Math.max(0, percentile(beside, 99) - percentile(alone, 99)),
    ...['ms', '<= 50'],
  );
  await limits.onApplicationShutdown();
}

/** Times of calls, one after the other, while something else goes on; at least 300. */
async function othersDuring(provider, going) {
  let isOver = false;
  void going.then(() => (isOver = true));
  const times = [];
  while (!isOver || times.length < 300) times.push(await timeOf(() => call(provider, codeSettings)));
  return times;
}

async function timeOf(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function call(provider, settings, expected = 'completed') {
  const request = {
    ...{ agentKey: 'bench', settings, input: INPUT, namespace: 'default', idempotencyKey: 'run_1:a:1' },
    ...{ attempt: 1, failures: 0 },
  };
  const context = { signal: new AbortController().signal, journal: { turns: [] } };
  const parts = provider.invoke(request, context);
  for (;;) {
    const next = await parts.next();
    if (next.done !== true) continue;
    if (next.value.status !== expected) throw new Error(JSON.stringify(next.value));
    return next.value.output;
  }
}

async function bareRequest() {
  const { body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(INPUT),
    dispatcher,
  });
  return body.json();
}

/** One program at a time in a thread that does nothing else: the least that keeps it off the main loop. */
function bareProgram() {
  return new Promise((resolve) => {
    thread.once('message', resolve);
    thread.postMessage(JSON.stringify(INPUT));
  });
}

function bareThread() {
  const besideQuickJs = createRequire(createRequire(import.meta.url).resolve('quickjs-emscripten'));
  const wasm = besideQuickJs.resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
  const engine = import.meta.resolve('../../dist/agents/providers/code/sandbox/engine.js');
  const program = `
    const { readFileSync } = require('node:fs');
    const { parentPort } = require('node:worker_threads');
    void (async () => {
      const { compileEngine, newRuntime } = await import(${JSON.stringify(engine)});
      const code = await compileEngine(readFileSync(${JSON.stringify(wasm)}));
      parentPort.on('message', async (input) => {
        const runtime = await newRuntime(64, code);
        const context = runtime.newContext();
        const module = context.unwrapResult(context.evalCode(${JSON.stringify(SOURCE)}, 'a.js', { type: 'module' }));
        const given = context.unwrapResult(context.evalCode('(' + input + ')'));
        const called = context.callFunction(context.getProp(module, 'default'), context.undefined, given);
        runtime.executePendingJobs();
        parentPort.postMessage(context.dump(context.getPromiseState(context.unwrapResult(called)).value));
      });
    })();`;
  return new Worker(program, { eval: true });
}
