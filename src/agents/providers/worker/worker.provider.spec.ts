import { Logger } from '@nestjs/common';

import { ManualClock } from '../../../../test/support/manual-clock.js';
import { until } from '../../../../test/support/until.js';
import { AppError } from '../../../kernel/failure.js';
import { UuidSource } from '../../../platform/ids/id.source.js';
import { InProcessTaskFeed } from '../../../storage/memory/in-process-task.feed.js';
import { MemoryTaskStore } from '../../../storage/memory/memory-task.store.js';
import { HandedOver, type AgentOutcome, type AgentPart, type AgentRequest } from '../../agent.provider.js';
import type { Task } from '../../domain/task.js';
import { WorkerProvider } from './worker.provider.js';

const NAMESPACE = 'default';
const DONE = { status: 'completed', output: { text: 'Good day' } } as const;

let store: MemoryTaskStore;
let feed: InProcessTaskFeed;
let provider: WorkerProvider;

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const clock = new ManualClock();
  store = new MemoryTaskStore(clock);
  feed = new InProcessTaskFeed();
  provider = new WorkerProvider(store, feed, clock, new UuidSource());
});

/** An attempt of a step of a run. */
function request(fields: Partial<AgentRequest> = {}): AgentRequest {
  return {
    agentKey: 'translator',
    settings: {},
    input: { text: 'Guten Tag' },
    namespace: NAMESPACE,
    idempotencyKey: 'run_1:a:1',
    attempt: 1,
    failures: 0,
    runId: 'run_1',
    stepId: 'a',
    ...fields,
  };
}

interface Attempt {
  readonly outcome: Promise<AgentOutcome>;
  readonly parts: readonly AgentPart[];
  readonly controller: AbortController;
}

function attempt(fields: Partial<AgentRequest> = {}): Attempt {
  const controller = new AbortController();
  const parts: AgentPart[] = [];
  const journal = { turns: [], record: () => Promise.resolve() };
  const carryOut = async (): Promise<AgentOutcome> => {
    const invocation = provider.invoke(request(fields), { signal: controller.signal, journal });
    for (;;) {
      const next = await invocation.next();
      if (next.done === true) return next.value;
      parts.push(next.value);
    }
  };
  return { outcome: carryOut(), parts, controller };
}

let leases = 0;

/** The next task, under the lease `hash` of its answer. */
async function lease(): Promise<{ readonly task: Task; readonly hash: string }> {
  const hash = `hash-${String(++leases)}`;
  const order = { namespace: NAMESPACE, agentKey: 'translator', tokenHashes: [hash] };
  const leased: Task[] = [];
  await until(async () => leased.push(...(await store.lease(order))) > 0, 'there is a task');
  const [task] = leased;
  if (task === undefined) throw new Error('There is no task.');
  return { task, hash };
}

async function answer(hash: string, taskId: string): Promise<void> {
  await store.end(NAMESPACE, hash, DONE);
  feed.tellTask(taskId);
}

const statusOf = async (id: string): Promise<string | undefined> => (await store.find(NAMESPACE, id))?.status;

it('asks for the work under its key and answers what the worker answers', async () => {
  const told: unknown[] = [];
  feed.onWork(NAMESPACE, 'translator', () => told.push('work'));
  const { outcome } = attempt({ settings: { heartbeatTimeoutMs: 5_000, maxDeliveries: 7 } });
  const { task, hash } = await lease();

  await answer(hash, task.id);

  expect(await outcome).toEqual(DONE);
  expect(told).toEqual(['work']);
  expect(task).toMatchObject({
    ...{ agentKey: 'translator', idempotencyKey: 'run_1:a:1', attempt: 1, runId: 'run_1', stepId: 'a' },
    ...{ input: { text: 'Guten Tag' }, heartbeatTimeoutMs: 5_000, maxDeliveries: 7 },
  });
});

it('streams what the worker tells on the way', async () => {
  const { outcome, parts } = attempt();
  const { task, hash } = await lease();
  feed.tellTask(task.id, { type: 'progress', percent: 10 });
  feed.tellTask(task.id, { type: 'progress', percent: 20, message: 'half' });
  await answer(hash, task.id);
  await outcome;

  expect(parts).toEqual([
    { type: 'progress', percent: 10 },
    { type: 'progress', percent: 20, message: 'half' },
  ]);
});

it('goes on with the task of an attempt that was interrupted', async () => {
  const first = attempt();
  const { task, hash } = await lease();
  first.controller.abort(new HandedOver());
  await first.outcome;

  const second = attempt({ attempt: 2 });
  await answer(hash, task.id);

  expect(await second.outcome).toEqual(DONE);
});

it('waits for a record that has no room', async () => {
  const create = store.create.bind(store);
  const failure = { code: 'store.full', kind: 'unavailable', message: 'no room', retryable: true } as const;
  store.create = () => {
    store.create = create;
    return Promise.reject(new AppError(failure));
  };
  const { outcome } = attempt();
  const { task, hash } = await lease();
  await answer(hash, task.id);

  expect(await outcome).toEqual(DONE);
});

it('takes the answer that came between two attempts', async () => {
  const first = attempt();
  const { task, hash } = await lease();
  first.controller.abort(new HandedOver());
  await first.outcome;
  await answer(hash, task.id);

  expect(await attempt({ attempt: 2 }).outcome).toEqual(DONE);
});

it('cancels its task when nobody wants the work any more', async () => {
  const { outcome, controller } = attempt();
  const { task } = await lease();

  controller.abort();

  expect(await outcome).toMatchObject({ status: 'failed', failure: { code: 'agent.cancelled' } });
  expect(await statusOf(task.id)).toBe('cancelled');
});

it('cancels its task when the attempt was over before it began', async () => {
  const { outcome, controller } = attempt();
  controller.abort();
  await outcome;

  expect(await store.lease({ namespace: NAMESPACE, agentKey: 'translator', tokenHashes: ['h'] })).toEqual([]);
});

it.each<[string, Partial<AgentRequest>]>([
  ['an attempt that failed', { attempt: 2, failures: 1 }],
  ['another generation', { idempotencyKey: 'run_1:a:2' }],
])('has a task of its own after %s', async (_, fields) => {
  const first = attempt();
  const { task, hash } = await lease();
  await answer(hash, task.id);
  await first.outcome;

  const second = attempt(fields);
  const next = await lease();
  await answer(next.hash, next.task.id);
  await second.outcome;

  expect(next.task.id).not.toBe(task.id);
});

it('has a task of its own for each call outside a run, whatever its key is', async () => {
  const outside = { agentKey: 'translator', idempotencyKey: 'same' };
  const { runId: _, stepId: __, ...call } = request(outside);
  const ids: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const controller = new AbortController();
    const journal = { turns: [], record: () => Promise.resolve() };
    const outcome = provider.invoke(call, { signal: controller.signal, journal }).next();
    const { task, hash } = await lease();
    ids.push(task.id);
    await answer(hash, task.id);
    expect((await outcome).value).toEqual(DONE);
  }

  expect(new Set(ids).size).toBe(2);
});

it('goes on while the record does not answer', async () => {
  const { outcome } = attempt();
  const { task, hash } = await lease();
  const find = jest.spyOn(store, 'find').mockRejectedValueOnce(new Error('away'));
  feed.tellTask(task.id);
  await until(() => find.mock.calls.length === 1, 'it has looked in vain');
  await answer(hash, task.id);

  expect(await outcome).toEqual(DONE);
});

it('describes its settings as they are written: none is required', () => {
  expect(provider.settingsSchema()).toMatchObject({
    type: 'object',
    properties: { heartbeatTimeoutMs: { default: 60_000 }, maxDeliveries: { default: 3 } },
  });
  expect(provider.settingsSchema()).not.toHaveProperty('required');
});

it.each([
  [{ heartbeatTimeoutMs: 99 }, '/heartbeatTimeoutMs'],
  [{ heartbeatTimeoutMs: '1s' }, '/heartbeatTimeoutMs'],
  [{ maxDeliveries: 0 }, '/maxDeliveries'],
  [{ retries: 1 }, '/retries'],
])('refuses the settings %j', (settings, pointer) => {
  expect(provider.check(settings)).toMatchObject([{ pointer }]);
});
