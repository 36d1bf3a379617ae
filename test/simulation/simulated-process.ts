/**
 * One process of a simulation: the real engine over the record of the world, a clock, timers and a network that the
 * seed decides about.
 *
 * It can be killed, which ends everything at once, or frozen: then it does nothing until it wakes, and goes on.
 */
import type { StorageConfig } from '../../src/platform/config/app.config.js';
import { RunEngine } from '../../src/runs/engine/run.engine.js';
import { AttemptExecutor } from '../../src/runs/engine/attempt.executor.js';
import { CommandRefusals } from '../../src/runs/engine/command-refusals.js';
import { ForkHistory } from '../../src/runs/engine/fork-history.js';
import { ContentLoader } from '../../src/runs/engine/content.loader.js';
import { LoopRecord, LoopTools } from '../../src/runs/engine/loop-tools.js';
import { OwnerService } from '../../src/runs/engine/owner.service.js';
import { RecoveryService } from '../../src/runs/engine/recovery.service.js';
import { RunFolds } from '../../src/runs/engine/run-folds.js';
import { RunLoader } from '../../src/runs/engine/run.loader.js';
import { StartGate } from '../../src/runs/engine/start.gate.js';
import type { InboxCommand } from '../../src/runs/run.inbox.js';
import { InProcessHotStore } from '../../src/storage/memory/in-process-hot.store.js';
import { SimulatedFeed, SimulatedQueue, SimulatedTimers } from './process-parts.js';
import { FaultyInbox, FaultyLease, FaultyStore } from './faulty-record.js';
import type { Fault } from './faults.js';
import type { CallingProcess, Setting } from './setting.js';

/** How long a process takes to come back after it was killed, at most, in milliseconds. */
const MAX_RESTART_MS = 3_000;

/** How long a frozen process stands still. */
const FREEZES_MS = [200, 2_000, 5_500, 8_000];

export class SimulatedProcess implements CallingProcess {
  readonly engine: RunEngine;
  readonly owner: OwnerService;
  readonly queue: SimulatedQueue;
  private readonly recovery: RecoveryService;
  private readonly inbox: FaultyInbox;
  private state: 'alive' | 'frozen' | 'dead' = 'alive';
  private backlog: (() => void)[] = [];

  constructor(
    private readonly world: Setting,
    readonly name: string,
  ) {
    const { clock, record, schemas, config } = world;
    const timers = new SimulatedTimers(clock, this);
    const lease = new FaultyLease(this, record.lease);
    const store = new FaultyStore(this, record.store);
    this.inbox = new FaultyInbox(this, record.inbox);
    this.queue = new SimulatedQueue(this, world.random);
    this.owner = new OwnerService(lease, clock, world.ids, timers);
    const executor = new AttemptExecutor(world.agents.callerOf(this), world.artifacts, schemas, timers);
    const contents = new ContentLoader(world.blobs);
    const loopRecord = new LoopRecord(
      store,
      lease,
      this.inbox,
      new SimulatedFeed(world),
      contents,
      new CommandRefusals(),
    );
    const gate = new StartGate();
    const tools = new LoopTools(loopRecord, clock, timers, gate, this.owner, executor, this.queue);
    this.engine = new RunEngine(
      tools,
      new RunLoader(store, schemas, new ForkHistory(world.blobs, clock)),
      config,
      new RunFolds(new InProcessHotStore(clock), clock, config),
    );
    this.recovery = new RecoveryService(this.engine, lease, this.queue, this.owner, timers, clock, {
      redisUrl: world.isShared ? 'redis://simulated' : undefined,
    } as StorageConfig);
  }

  get isAlive(): boolean {
    return this.state !== 'dead';
  }

  /** Begins to take runs; a process that cannot dies, and is started again as any other. */
  async start(): Promise<void> {
    this.world.note(`${this.name} starts`);
    try {
      await this.recovery.start();
    } catch {
      this.kill();
    }
  }

  /** Ends it at once. Another one follows it. */
  kill(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.backlog = [];
    this.world.note(`${this.name} is killed`);
    this.world.replace(this, 1 + this.world.random.below(MAX_RESTART_MS));
  }

  /** It stands still for a while. */
  freeze(): void {
    if (this.state !== 'alive') return;
    this.state = 'frozen';
    this.world.note(`${this.name} is frozen`);
    this.world.time.after(this.world.random.pick(FREEZES_MS), () => {
      this.wake();
    });
  }

  /** Calls back within the process after a delay: later while it is frozen, never once it is dead. */
  after(delayMs: number, callback: () => void): () => void {
    return this.world.time.after(delayMs, () => {
      this.deliver(callback);
    });
  }

  /** A message to a run from outside, through this process. */
  async send(runId: string, command: InboxCommand): Promise<void> {
    const { clock, namespace } = this.world;
    const epoch = this.world.record.record.runs.get(runId)?.epoch;
    await this.inbox.put({ namespace, runId, command, at: clock.now() });
    const mode = command.type === 'pause' || command.type === 'cancel' ? 'control' : 'claimed';
    const loop = this.engine.find(runId) ?? (await this.engine.claim(runId, mode, epoch));
    if (loop === undefined) this.queue.hint({ runId, priority: 50 });
    else loop.mail();
  }

  /** Asks something of the outside world, by way of a network that may fail. */
  ask<T>(operation: string, apply: () => Promise<T>): Promise<T> {
    const { faults, time } = this.world;
    const fault = this.isAlive ? faults.next(operation, time.now) : undefined;
    if (fault !== undefined) this.world.note(`${this.name} ${operation} ${fault}`);
    return new Promise((resolve, reject) => {
      const answer = (result: Promise<T>, delayMs: number): void => {
        const arrive = (settle: () => void): void => {
          if (delayMs === 0) this.deliver(settle);
          else this.after(delayMs, settle);
        };
        result.then(
          (value) => {
            arrive(() => {
              resolve(value);
            });
          },
          (error: unknown) => {
            arrive(() => {
              reject(error instanceof Error ? error : new Error(String(error)));
            });
          },
        );
      };
      if (this.isAlive) this.pass(fault, apply, answer);
    });
  }

  /** What becomes of one call. */
  private pass<T>(
    fault: Fault | undefined,
    apply: () => Promise<T>,
    answer: (result: Promise<T>, delayMs: number) => void,
  ): void {
    const { faults, time } = this.world;
    const lost = (): Promise<never> => Promise.reject(new Error('the record did not answer'));
    switch (fault) {
      case undefined: {
        const thereMs = faults.latencyMs();
        const backMs = faults.latencyMs();
        if (thereMs === 0) answer(apply(), backMs);
        else
          time.after(thereMs, () => {
            answer(apply(), backMs);
          });
        break;
      }
      case 'refused':
        answer(lost(), faults.latencyMs());
        break;
      case 'answer-lost':
        answer(apply().then(lost), faults.latencyMs());
        break;
      case 'late':
        time.after(faults.lateMs(), () => {
          answer(apply(), 0);
        });
        break;
      case 'late-answer':
        answer(apply(), faults.lateMs());
        break;
      case 'doubled':
        answer(apply(), faults.latencyMs());
        time.after(faults.lateMs(), () => {
          apply().catch(() => undefined); // nobody waits for the second answer
        });
        break;
      case 'killed-before':
        this.kill();
        break;
      case 'killed-after':
        apply().catch(() => undefined);
        this.kill();
        break;
      case 'frozen':
        answer(apply(), 0);
        this.freeze();
        break;
    }
  }

  private deliver(callback: () => void): void {
    if (this.state === 'alive') callback();
    else if (this.state === 'frozen') this.backlog.push(callback);
  }

  private wake(): void {
    if (this.state !== 'frozen') return;
    this.state = 'alive';
    this.world.note(`${this.name} wakes`);
    const backlog = this.backlog;
    this.backlog = [];
    for (const callback of backlog) this.after(0, callback);
  }
}
