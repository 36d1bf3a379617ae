/** The workers of one process that wait for tasks of one agent, and who gets which. */
import { TaskPoller, type HandedTask, type PollOrder } from './task-poller.js';
import { makeTaskToken } from './task-token.js';
import type { TaskStore } from './task.store.js';

/** Tasks leased in one write. */
const MAX_BATCH = 100;

/**
 * Looks into the record once for all workers that wait, and again only when something was told. First come, first
 * served.
 *
 * Tasks are leased for workers that wait at that time; what is left over goes back into the queue at once.
 */
export class TaskLane {
  private readonly pollers = new Set<TaskPoller>();
  private isLooking = false;
  private isStale = false;

  /** @param onLeased called with each batch before it is handed out */
  constructor(
    private readonly tasks: TaskStore,
    private readonly agent: Pick<PollOrder, 'namespace' | 'agentKey'>,
    private readonly onLeased: (tasks: readonly HandedTask[]) => void,
  ) {}

  get size(): number {
    return this.pollers.size;
  }

  /** Tasks as soon as there are some; none when the time is over or the worker is gone. */
  async poll(order: PollOrder): Promise<readonly HandedTask[]> {
    const poller = new TaskPoller(order);
    const leave = (): void => {
      poller.give([]);
    };
    const timer = poller.isPatient ? setTimeout(() => this.dismiss(poller), order.waitMs) : undefined;
    order.signal.addEventListener('abort', leave, { once: true });
    this.pollers.add(poller);
    this.look();
    try {
      return await poller.answer;
    } finally {
      clearTimeout(timer);
      order.signal.removeEventListener('abort', leave);
      this.pollers.delete(poller);
    }
  }

  /** Something was told: looks now, or once more after the look under way. */
  look(): void {
    this.isStale = true;
    if (!this.isLooking) void this.lookWhileStale();
  }

  /** Lets everybody go with what there is. */
  close(): void {
    for (const poller of [...this.pollers]) this.dismiss(poller);
  }

  /** A poller stays for the look under way: what is leased for it must not be lost. */
  private dismiss(poller: TaskPoller): void {
    if (this.isLooking) poller.isPatient = false;
    else poller.give([]);
  }

  private async lookWhileStale(): Promise<void> {
    this.isLooking = true;
    while (this.isStale) {
      this.isStale = false;
      const waiting = [...this.pollers].filter(({ isWaiting }) => isWaiting);
      try {
        await this.handOut(waiting);
        for (const poller of waiting) if (!poller.isPatient) poller.give([]);
      } catch (error) {
        for (const poller of waiting) poller.refuse(error);
      }
    }
    this.isLooking = false;
  }

  private async handOut(pollers: readonly TaskPoller[]): Promise<void> {
    const wanted = pollers.reduce((sum, { order }) => sum + order.max, 0);
    const leased = await this.lease(Math.min(wanted, MAX_BATCH));
    if (leased.length === MAX_BATCH && wanted > MAX_BATCH) this.isStale = true;
    const rest = [...leased];
    for (const poller of pollers) {
      if (poller.isWaiting && rest.length > 0) poller.give(rest.splice(0, poller.order.max));
    }
    if (rest.length === 0) return;
    const hashes = rest.map(({ task }) => task.tokenHash ?? '');
    await this.tasks.release(this.agent.namespace, hashes);
    this.isStale = true;
  }

  private async lease(count: number): Promise<readonly HandedTask[]> {
    if (count === 0) return [];
    const fresh = Array.from({ length: count }, makeTaskToken);
    const tokens = new Map(fresh.map(({ hash, token }) => [hash, token]));
    const leased = await this.tasks.lease({ ...this.agent, tokenHashes: [...tokens.keys()] });
    const handed = leased.map((task) => ({ task, token: tokens.get(task.tokenHash ?? '') ?? '' }));
    this.onLeased(handed);
    return handed;
  }
}
