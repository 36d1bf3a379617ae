import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { DrainService, type DrainHook } from '../platform/lifecycle/drain.service.js';
import { TaskLane } from './task-lane.js';
import type { HandedTask, PollOrder } from './task-poller.js';
import { TaskSweep } from './task-sweep.js';
import { TaskFeed } from './task.feed.js';
import { TaskStore } from './task.store.js';

/** Workers that wait here at once; a poll beyond that looks once and does not wait. */
const MAX_WAITING = 2_000;

interface Entry {
  readonly lane: TaskLane;
  readonly unlisten: () => void;
}

/** The workers that wait in this process, by agent. While none waits for an agent, nothing is kept of it. */
@Injectable()
export class TaskPollers implements OnModuleDestroy, DrainHook {
  readonly name = 'workers';
  private readonly lanes = new Map<string, Entry>();
  private waiting = 0;
  private isClosing = false;

  constructor(
    private readonly tasks: TaskStore,
    private readonly feed: TaskFeed,
    private readonly sweep: TaskSweep,
    drains: DrainService,
  ) {
    drains.register(this);
  }

  /** Leases tasks for a worker: at once, or as soon as there are some within its time. */
  async poll(order: PollOrder): Promise<readonly HandedTask[]> {
    const mayWait = !this.isClosing && this.waiting < MAX_WAITING;
    const key = `${order.namespace} ${order.agentKey}`;
    const entry = this.lanes.get(key) ?? this.open(key, order);
    const rest = this.sweep.keepLooking();
    this.waiting += 1;
    try {
      return await entry.lane.poll(mayWait ? order : { ...order, waitMs: 0 });
    } finally {
      this.waiting -= 1;
      rest();
      if (entry.lane.size === 0) this.close(key, entry);
    }
  }

  drain(): Promise<void> {
    this.isClosing = true;
    for (const { lane } of this.lanes.values()) lane.close();
    return Promise.resolve();
  }

  async onModuleDestroy(): Promise<void> {
    await this.drain();
  }

  private open(key: string, { namespace, agentKey }: PollOrder): Entry {
    const lane = new TaskLane(this.tasks, { namespace, agentKey }, (leased) => {
      for (const { task } of leased) this.sweep.lookIn(task.heartbeatTimeoutMs);
    });
    const unlisten = this.feed.onWork(namespace, agentKey, () => {
      lane.look();
    });
    const entry = { lane, unlisten };
    this.lanes.set(key, entry);
    return entry;
  }

  private close(key: string, entry: Entry): void {
    if (this.lanes.get(key) !== entry) return;
    this.lanes.delete(key);
    entry.unlisten();
  }
}
