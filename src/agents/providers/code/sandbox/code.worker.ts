/** A thread that runs programs, one after another, each in an engine of its own. Started and ended by SandboxPool. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';

import { compileEngine, newEngine } from './engine.js';
import { Program } from './program.js';
import type { FromThread, SandboxJob, SandboxResult, ToThread } from './sandbox-protocol.js';

yieldToTheService();
// The engine's code is a file of a package that quickjs-emscripten brings along.
const besideQuickJs = createRequire(createRequire(process.argv[1] ?? '').resolve('quickjs-emscripten'));
const code = await compileEngine(
  readFileSync(besideQuickJs.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')),
);
/** Has all of the engine and of what surrounds a program loaded and compiled before somebody waits for it. */
const REHEARSAL: SandboxJob = {
  ...{ source: 'export default (input) => input', input: '{}', idempotencyKey: '' },
  ...{ timeoutMs: 1_000, memoryMb: 16, maxOutputBytes: 16 },
};
let present: Program | undefined;

await perform(REHEARSAL);
parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'run') void run(message.job);
  else present?.settle(message.callId, message.answer);
});

async function run(job: SandboxJob): Promise<void> {
  say({ type: 'ended', result: await perform(job) });
}

async function perform(job: SandboxJob): Promise<SandboxResult> {
  present = new Program(await newEngine(job.memoryMb, code), job, {
    log: (text) => say({ type: 'console', text }),
    fetch: (call) => say({ type: 'fetch', ...call }),
  });
  const result = await present.run();
  present = undefined;
  return result;
}

/** What a program computes waits for the service. Linux has a priority for each thread; elsewhere it is the process's. */
function yieldToTheService(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not allowed here: programs run all the same.
  }
}

function say(message: FromThread): void {
  parentPort?.postMessage(message);
}
