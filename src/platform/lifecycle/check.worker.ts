/**
 * The entry of the thread for heavy checks.
 *
 * In: `{ module, task, input }`, where `module` is the path of a compiled file and `task` a function that it exports.
 * Out: `{ value }`, or `{ failure }` of an AppError, or `{ error }` of anything else. One job at a time.
 */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';

import { AppError } from '../../kernel/failure.js';
import type { CheckAnswer, CheckJob } from './check-protocol.js';

parentPort?.on('message', (job: CheckJob) => {
  void answer(job);
});

async function answer(job: CheckJob): Promise<void> {
  parentPort?.postMessage(await execute(job));
}

async function execute({ module, task, input }: CheckJob): Promise<CheckAnswer> {
  try {
    const loaded = (await import(pathToFileURL(module).href)) as Record<string, (input: unknown) => unknown>;
    const run = loaded[task];
    if (run === undefined) throw new Error(`${module} exports no task "${task}"`);
    return { value: await run(input) };
  } catch (error) {
    if (AppError.is(error)) return { failure: error.failure };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
