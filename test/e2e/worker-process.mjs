/** Workers in a process of their own, which do what the input of each task says, and speak of each on standard output. */
import { runWorker, TaskFailure } from '../../docs/examples/worker/worker.ts';

const {
  SERVICE_URL: url,
  SERVICE_KEY: key,
  AGENT: agentId = 'worker',
  MAX: max = '1',
  WORKERS = '1',
} = process.env;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const work = () =>
  runWorker({
    url,
    ...(key && { key }),
    agentId,
    max: Number(max),
    signal: stop.signal,
    async execute({ input, idempotencyKey, attempt }, { signal, progress }) {
      console.log(`TASK ${JSON.stringify({ input, idempotencyKey, attempt })}`);
      if (input.fail) throw new TaskFailure(input.fail, 'as the input says', input.retryable ?? false);
      if (input.progress) await progress(input.progress, 'on the way');
      if (input.hang) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (signal.aborted) console.log('ABORTED');
      return { done: input, by: process.pid };
    },
  });

console.log('LISTENING worker');
await Promise.all(Array.from({ length: Number(WORKERS) }, work));
