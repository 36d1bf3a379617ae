import { Injectable } from '@nestjs/common';

import { AppError, type Failure } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import type { Principal } from '../platform/auth/principal.js';
import { requireAgent } from '../platform/auth/worker-key.js';
import type { AgentPart } from './agent.provider.js';
import { AgentService } from './agent.service.js';
import { isSameOutcome, type Task, type TaskOutcome } from './domain/task.js';
import type { HandedTask, PollOrder } from './task-poller.js';
import { TaskPollers } from './task-pollers.js';
import { hashOfToken } from './task-token.js';
import { taskErrors } from './task.errors.js';
import { TaskFeed } from './task.feed.js';
import { TaskStore } from './task.store.js';

/** The kind of agents whose work is done outside. */
const WORKER_KIND = 'worker';

/** How far a worker says that it is. */
export type TaskProgress = Omit<Extract<AgentPart, { readonly type: 'progress' }>, 'type'>;

/** Whether the worker shall go on. */
export type Heartbeat =
  { readonly isCancelled: true } | { readonly isCancelled: false; readonly leaseUntil: number };

/** What workers ask for: tasks, more time, and taking their answers. */
@Injectable()
export class TaskService {
  constructor(
    private readonly agents: AgentService,
    private readonly tasks: TaskStore,
    private readonly pollers: TaskPollers,
    private readonly feed: TaskFeed,
  ) {}

  /**
   * Leases tasks of an agent for a worker.
   *
   * @throws AppError `agent.not-found`, `agent.not-worker`, `auth.forbidden`
   */
  async poll(
    principal: Principal,
    order: Omit<PollOrder, 'namespace' | 'agentKey'> & { readonly agentId: string },
  ): Promise<readonly HandedTask[]> {
    const { agentId, ...rest } = order;
    const { key: agentKey, kind } = await this.agents.get(principal.namespace, agentId);
    requireAgent(principal, agentKey);
    if (kind !== WORKER_KIND) {
      const message = `agent "${agentKey}" is of kind ${kind}; only agents of kind ${WORKER_KIND} have tasks`;
      throw AppError.of(taskErrors['agent.not-worker'], message);
    }
    return this.pollers.poll({ ...rest, namespace: principal.namespace, agentKey });
  }

  /** Makes a lease hold on. @throws AppError `task.token-expired`, `task.token-used`, `auth.forbidden` */
  async heartbeat(principal: Principal, token: string, progress?: TaskProgress): Promise<Heartbeat> {
    const task = await this.require(principal, token);
    if (task.status === 'cancelled') return { isCancelled: true };
    const extended = await this.tasks.extend(principal.namespace, hashOfToken(token));
    if (extended?.leaseUntil !== undefined) {
      if (progress !== undefined) this.feed.tellTask(task.id, { type: 'progress', ...progress });
      return { isCancelled: false, leaseUntil: extended.leaseUntil };
    }
    const { status } = await this.require(principal, token);
    if (status === 'cancelled') return { isCancelled: true };
    throw status === 'leased' ? tokenExpired() : tokenUsed(status);
  }

  /** Ends a task with an output. As `end`. */
  complete(principal: Principal, token: string, output: Json): Promise<void> {
    return this.end(principal, token, { status: 'completed', output });
  }

  /** Ends a task with a failure. As `end`. */
  fail(principal: Principal, token: string, failure: Failure): Promise<void> {
    return this.end(principal, token, { status: 'failed', failure });
  }

  /**
   * Ends a task. The same answer again is taken as a repetition and changes nothing.
   *
   * @throws AppError `task.token-expired`, `task.token-used`, `task.cancelled`, `auth.forbidden`
   */
  private async end(principal: Principal, token: string, outcome: TaskOutcome): Promise<void> {
    const { id } = await this.require(principal, token);
    if (await this.tasks.end(principal.namespace, hashOfToken(token), outcome)) {
      this.feed.tellTask(id);
      return;
    }
    const { status, outcome: first } = await this.require(principal, token);
    if (status === 'cancelled') {
      throw AppError.of(taskErrors['task.cancelled'], 'nobody wants the task done any more; drop it');
    }
    if (first === undefined) throw tokenExpired();
    if (!isSameOutcome(first, outcome)) throw tokenUsed(status);
  }

  private async require(principal: Principal, token: string): Promise<Task> {
    const task = await this.tasks.findByToken(principal.namespace, hashOfToken(token));
    if (task === undefined) throw tokenExpired();
    requireAgent(principal, task.agentKey);
    return task;
  }
}

function tokenExpired(): AppError {
  const message = 'the lease of this token has run out, or there never was one: drop the work and poll again';
  return AppError.of(taskErrors['task.token-expired'], message);
}

function tokenUsed(status: string): AppError {
  return AppError.of(
    taskErrors['task.token-used'],
    `with this token the task was answered before: ${status}`,
  );
}
