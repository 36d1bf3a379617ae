/**
 * A worker: does the tasks of one agent of kind `worker`, in a process of its own. Needs nothing but `fetch`.
 *
 * It polls, keeps each task by heartbeats while it works, and answers it; a task that is cancelled meanwhile is aborted.
 * Whoever falls silent loses the task to another worker.
 */
export interface Task {
  readonly token: string;
  readonly id: string;
  readonly input: unknown;
  /** The same whenever this work is handed out: pass it on to whatever must happen once. */
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly heartbeatTimeoutMs: number;
}

export interface TaskTools {
  /** Aborted when nobody wants the task done any more. */
  readonly signal: AbortSignal;
  /** Tells whoever follows the run how far it is. */
  readonly progress: (percent: number, message?: string) => Promise<void>;
}

export interface WorkerOptions {
  /** Where the service is, such as `http://localhost:3000`. */
  readonly url: string;
  /** An API key; not needed on the machine of a service without keys. */
  readonly key?: string;
  readonly agentId: string;
  /** Tasks at once. @default 1 */
  readonly max?: number;
  /** Aborted to end the worker: it finishes what it has. */
  readonly signal?: AbortSignal;
  /** Does a task: answers its output, or throws; a `TaskFailure` says whether another attempt may help. */
  readonly execute: (task: Task, tools: TaskTools) => Promise<unknown>;
}

/** Why a task can not be done. */
export class TaskFailure extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable = false) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

const WAIT_MS = 20_000;
const RETRY_MS = 1_000;

/** Works until the signal aborts. Rejects when the service refuses to give tasks. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { agentId, max = 1, signal } = options;
  const open = new Set<Promise<void>>();
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    const order = { agentId, max: max - open.size, waitMs: WAIT_MS };
    const answer = await post(options, 'poll', order, signal);
    if (answer?.ok !== true) {
      if (answer !== undefined && isFinal(answer)) throw new Error(await answer.text());
      if (!isOver()) await pause(RETRY_MS);
      continue;
    }
    for (const task of (await answer.json()) as readonly Task[]) {
      const done = work(options, task).finally(() => open.delete(done));
      open.add(done);
    }
    if (open.size >= max) await Promise.race(open);
  }
  await Promise.all(open);
}

async function work(options: WorkerOptions, task: Task): Promise<void> {
  const cancelled = new AbortController();
  const beat = async (body: object = {}): Promise<void> => {
    const answer = await post(options, `${task.token}/heartbeat`, body);
    const isDropped =
      answer?.ok === true
        ? ((await answer.json()) as { cancelled: boolean }).cancelled
        : answer?.status === 409;
    if (isDropped) cancelled.abort();
  };
  const progress = (percent: number, message?: string): Promise<void> =>
    beat({ progress: { percent, message } });
  const timer = setInterval(() => void beat(), task.heartbeatTimeoutMs / 3);
  try {
    const output = await options.execute(task, { signal: cancelled.signal, progress });
    if (!cancelled.signal.aborted)
      await insist(options, `${task.token}/complete`, { output: output ?? null });
  } catch (error) {
    const { code, retryable } =
      error instanceof TaskFailure ? error : { code: 'worker.crashed', retryable: true };
    const failure = { code, retryable, message: error instanceof Error ? error.message : String(error) };
    if (!cancelled.signal.aborted) await insist(options, `${task.token}/fail`, { failure });
  } finally {
    clearInterval(timer);
  }
}

/** Says something until the service has heard it: saying it twice is safe. A refusal was heard, too. */
async function insist(options: WorkerOptions, path: string, body: object): Promise<void> {
  for (;;) {
    const answer = await post(options, path, body);
    if (answer !== undefined && isFinal(answer)) return;
    await pause(RETRY_MS);
  }
}

/** The answer; undefined when the service could not be reached. */
async function post(
  { url, key }: WorkerOptions,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<Response | undefined> {
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  const request = { method: 'POST', headers, body: JSON.stringify(body), signal: signal ?? null };
  return fetch(`${url}/api/v1/tasks/${path}`, request).catch(() => undefined);
}

/** False for what passes: a service that is busy or starts again. */
function isFinal({ status }: Response): boolean {
  return status < 500 && status !== 429;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
