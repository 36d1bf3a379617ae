import { isOpenTask, type NewTask, type Task, type TaskOutcome } from '../../agents/domain/task.js';
import { TaskStore, type Expiry, type LeaseOrder } from '../../agents/task.store.js';
import type { Failure } from '../../kernel/failure.js';
import type { Clock } from '../../platform/clock/clock.js';

export class MemoryTaskStore extends TaskStore {
  private readonly tasks = new Map<string, Task>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override create(task: NewTask): Promise<Task> {
    const present = this.first(
      ({ namespace, lineage, status }) =>
        namespace === task.namespace && lineage === task.lineage && status !== 'cancelled',
    );
    return Promise.resolve(present ?? this.put({ ...task, status: 'queued', deliveries: 0 }));
  }

  override find(namespace: string, id: string): Promise<Task | undefined> {
    const task = this.tasks.get(id);
    return Promise.resolve(task?.namespace === namespace ? task : undefined);
  }

  /** Forgets the tasks of a run that is deleted. */
  forgetRun(runId: string): void {
    for (const [id, task] of this.tasks) if (task.runId === runId) this.tasks.delete(id);
  }

  override openOf(namespace: string, runId: string): Promise<readonly Task[]> {
    const tasks = [...this.tasks.values()].filter(
      (task) => task.namespace === namespace && task.runId === runId && isOpenTask(task),
    );
    return Promise.resolve(tasks);
  }

  override findByToken(namespace: string, tokenHash: string): Promise<Task | undefined> {
    return Promise.resolve(
      this.first((task) => task.namespace === namespace && task.tokenHash === tokenHash),
    );
  }

  override lease({ namespace, agentKey, tokenHashes }: LeaseOrder): Promise<readonly Task[]> {
    const queued = [...this.tasks.values()]
      .filter(
        (task) => task.namespace === namespace && task.agentKey === agentKey && task.status === 'queued',
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const leased = tokenHashes.flatMap((tokenHash, index) => {
      const task = queued[index];
      if (task === undefined) return [];
      const leaseUntil = this.clock.now() + task.heartbeatTimeoutMs;
      const deliveries = task.deliveries + 1;
      return [this.put({ ...task, status: 'leased', deliveries, tokenHash, leaseUntil })];
    });
    return Promise.resolve(leased);
  }

  override release(namespace: string, tokenHashes: readonly string[]): Promise<void> {
    for (const tokenHash of tokenHashes) {
      const task = this.held(namespace, tokenHash);
      if (task !== undefined) this.put({ ...withoutLease(task), deliveries: task.deliveries - 1 });
    }
    return Promise.resolve();
  }

  override extend(namespace: string, tokenHash: string): Promise<Task | undefined> {
    const task = this.held(namespace, tokenHash);
    return Promise.resolve(
      task && this.put({ ...task, leaseUntil: this.clock.now() + task.heartbeatTimeoutMs }),
    );
  }

  override end(namespace: string, tokenHash: string, outcome: TaskOutcome): Promise<boolean> {
    const task = this.held(namespace, tokenHash);
    if (task !== undefined) this.put({ ...task, status: outcome.status, outcome, endedAt: this.clock.now() });
    return Promise.resolve(task !== undefined);
  }

  override async cancel(namespace: string, id: string): Promise<boolean> {
    const task = await this.find(namespace, id);
    if (task === undefined || !isOpenTask(task)) return false;
    this.put({ ...task, status: 'cancelled', endedAt: this.clock.now() });
    return true;
  }

  override expire(failure: Failure): Promise<Expiry> {
    const now = this.clock.now();
    const leased = [...this.tasks.values()].filter(({ status }) => status === 'leased');
    const over = leased.filter(({ leaseUntil = 0 }) => leaseUntil <= now);
    const [spent, left] = [over.filter(isSpent), over.filter((task) => !isSpent(task))];
    const outcome = { status: 'failed', failure } as const;
    const failed = spent.map((task) =>
      this.put({ ...withoutLease(task), status: 'failed', outcome, endedAt: now }),
    );
    const requeued = left.map((task) => this.put(withoutLease(task)));
    const held = leased.filter((task) => !over.includes(task));
    if (held.length === 0) return Promise.resolve({ requeued, failed });
    const next = Math.min(...held.map(({ leaseUntil = 0 }) => leaseUntil));
    return Promise.resolve({ requeued, failed, nextInMs: next - now });
  }

  override purge(endedBefore: number, limit: number): Promise<number> {
    const old = [...this.tasks.values()].filter(({ endedAt = Infinity }) => endedAt < endedBefore);
    const doomed = old.slice(0, limit);
    for (const { id } of doomed) this.tasks.delete(id);
    return Promise.resolve(doomed.length);
  }

  /** The task of a lease that holds. */
  private held(namespace: string, tokenHash: string): Task | undefined {
    const now = this.clock.now();
    return this.first(
      (task) =>
        task.namespace === namespace &&
        task.tokenHash === tokenHash &&
        task.status === 'leased' &&
        (task.leaseUntil ?? 0) > now,
    );
  }

  private first(matches: (task: Task) => boolean): Task | undefined {
    return this.tasks.values().find(matches);
  }

  private put(task: Task): Task {
    this.tasks.set(task.id, task);
    return task;
  }
}

function isSpent({ deliveries, maxDeliveries }: Task): boolean {
  return deliveries >= maxDeliveries;
}

function withoutLease({ tokenHash: _, leaseUntil: __, ...task }: Task): Task {
  return { ...task, status: 'queued' };
}
