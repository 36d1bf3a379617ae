/** Tasks in memory, on a clock that stands still, and what workers ask for. */
import { setImmediate } from 'node:timers/promises';

import { agentErrors } from '../../src/agents/agent.errors.js';
import type { AgentService } from '../../src/agents/agent.service.js';
import type { NewTask, Task } from '../../src/agents/domain/task.js';
import type { HandedTask, PollOrder } from '../../src/agents/task-poller.js';
import { TaskPollers } from '../../src/agents/task-pollers.js';
import { TaskSweep } from '../../src/agents/task-sweep.js';
import { TaskService } from '../../src/agents/task.service.js';
import { AppError } from '../../src/kernel/failure.js';
import type { Principal } from '../../src/platform/auth/principal.js';
import { DrainService } from '../../src/platform/lifecycle/drain.service.js';
import { InProcessTaskFeed } from '../../src/storage/memory/in-process-task.feed.js';
import { MemoryTaskStore } from '../../src/storage/memory/memory-task.store.js';
import { aTask } from './a-task.js';
import { testConfig } from './app.js';
import { aRoster } from './duties.js';
import { ManualClock } from './manual-clock.js';

const ANYBODY: Principal = { namespace: 'default', role: 'admin' };
const KINDS = new Map([
  ['translator', 'worker'],
  ['echo', 'echo'],
]);

export class TaskScene {
  readonly clock = new ManualClock();
  readonly store = new MemoryTaskStore(this.clock);
  readonly feed = new InProcessTaskFeed();
  readonly sweep = new TaskSweep(this.store, this.feed, this.clock, testConfig().engine, aRoster());
  readonly pollers = new TaskPollers(this.store, this.feed, this.sweep, new DrainService());
  readonly service = new TaskService(agents(), this.store, this.pollers, this.feed);

  /** Puts a task of the agent `translator` into the queue; answers its id. */
  async add(fields: Partial<NewTask> = {}): Promise<string> {
    const { id, namespace, agentKey } = await this.store.create(aTask(fields));
    this.feed.tellWork(namespace, agentKey);
    return id;
  }

  /** The tasks that a worker gets; without `waitMs` those that are there. */
  poll(
    order: Partial<PollOrder & { readonly agentId: string }> = {},
    principal = ANYBODY,
  ): Promise<readonly HandedTask[]> {
    const { signal } = new AbortController();
    return this.service.poll(principal, { agentId: 'translator', max: 1, waitMs: 0, signal, ...order });
  }

  /** The token of a task that a worker took. */
  async take(): Promise<string> {
    const [handed] = await this.poll();
    if (handed === undefined) throw new Error('There is no task to take.');
    return handed.token;
  }

  async task(id: string): Promise<Task> {
    const task = await this.store.find('default', id);
    if (task === undefined) throw new Error(`There is no task ${id}.`);
    return task;
  }

  /** Resolves when everything that waits for nothing but the memory is done. */
  async settled(): Promise<void> {
    await setImmediate();
  }

  close(): void {
    this.sweep.onModuleDestroy();
  }
}

/** The agents that the scene knows: one of kind `worker`, and one that is not. */
function agents(): AgentService {
  const get = (_namespace: string, key: string): Promise<{ readonly key: string; readonly kind: string }> => {
    const kind = KINDS.get(key);
    if (kind !== undefined) return Promise.resolve({ key, kind });
    return Promise.reject(AppError.of(agentErrors['agent.not-found'], `there is no agent "${key}"`));
  };
  return { get } as unknown as AgentService;
}
