/**
 * Three schedulers on one record, killed and begun again at moments of no particular meaning: every instant fires
 * exactly once. Time is stepped; runs, engine and record are those of the application.
 */
import { EngineConfig } from '../../src/platform/config/app.config.js';
import { UuidSource } from '../../src/platform/ids/id.source.js';
import { RunControlService } from '../../src/runs/run-control.service.js';
import { RunReader } from '../../src/runs/run.reader.js';
import { RunService } from '../../src/runs/run.service.js';
import { FireExecutor } from '../../src/schedules/fire.executor.js';
import { SchedulePlans } from '../../src/schedules/schedule-plans.js';
import { ScheduleLoop } from '../../src/schedules/schedule.loop.js';
import { ScheduleService } from '../../src/schedules/schedule.service.js';
import { ScheduleStore } from '../../src/schedules/schedule.store.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aRoster } from '../support/duties.js';
import { ManualClock } from '../support/manual-clock.js';
import { describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';

/** Far from the application's own time, so that its own scheduler finds nothing due. */
const START = 4_000_000_000_000;
const SCHEDULERS = 3;
const RESTARTS = 20;
const EVERY_MS = 10_000;
const NAMESPACE = 'default';
const DEFINITION = { steps: [{ id: 'only', agent: 'echo', input: { said: 1 } }] };

/** Generous: the machine may be busy with other suites. */
jest.setTimeout(120_000);

/** What a process can reach; nothing answers it once it was killed, as nothing reaches the dead. */
class Mortal {
  private isDead = false;
  private readonly death = Promise.withResolvers<'killed'>();

  kill(): void {
    this.isDead = true;
    this.death.resolve('killed');
  }

  reach<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof value !== 'function') return value;
        return (...values: unknown[]) => this.answer(() => Reflect.apply(value, object, values) as unknown);
      },
    });
  }

  async untilDoneOrDead(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.death.promise]);
  }

  /** What is asked for is done even if nobody lives to hear the answer. */
  private answer(ask: () => unknown): unknown {
    const never = new Promise<never>(() => undefined);
    if (this.isDead) return never;
    const given = ask();
    if (!(given instanceof Promise)) return given;
    return given.then(
      (value: unknown) => (this.isDead ? never : value),
      (error: unknown) => (this.isDead ? never : Promise.reject(error as Error)),
    );
  }
}

interface Scheduler {
  readonly loop: ScheduleLoop;
  readonly service: ScheduleService;
  readonly mortal: Mortal;
  /** Ends it as `kill -9` does: nothing is said, and no timer is left. */
  readonly kill: () => void;
}

class Scene {
  readonly clock = new ManualClock(START);

  constructor(private readonly service: RunningApp) {}

  get store(): ScheduleStore {
    return this.of(ScheduleStore);
  }

  get reader(): RunReader {
    return this.of(RunReader);
  }

  /** A scheduler as another process would have it. */
  scheduler(): Scheduler {
    const mortal = new Mortal();
    const { clock } = this;
    const store = mortal.reach(this.store);
    const runs = mortal.reach(this.of(RunService));
    const plans = new SchedulePlans(store, clock, this.of(EngineConfig));
    const control = mortal.reach(this.of(RunControlService));
    const executor = new FireExecutor(plans, runs, control, this.reader, clock);
    const loop = new ScheduleLoop(store, executor, clock);
    const service = new ScheduleService(store, plans, loop, runs, clock, new UuidSource(), aRoster());
    const kill = (): void => {
      mortal.kill();
      void loop.stop();
    };
    return { loop, service, mortal, kill };
  }

  private of<T>(token: abstract new (...values: never[]) => T): T {
    return this.service.app.get(token, { strict: false });
  }
}

function restarts(env: () => Record<string, string>): void {
  let service: RunningApp;
  let scene: Scene;

  beforeAll(async () => {
    service = await startApp({ env: { AGENT_MAX_QUEUE_SIZE: '1000', ...env() } });
  });

  beforeEach(() => {
    scene = new Scene(service);
  });

  afterAll(async () => {
    await service.close();
  });

  const WRITTEN = {
    name: 'often',
    rule: { intervalMs: EVERY_MS, jitterMs: 0 },
    policy: { jitterMs: 0, overlap: 'allow_all', catchUpWindowMs: 3_600_000, pauseOnFailure: false },
    run: { definition: DEFINITION },
  } as const;

  it(`fires every instant once through ${String(RESTARTS)} restarts of ${String(SCHEDULERS)} schedulers`, async () => {
    let random = START % 99_991;
    const next = (below: number): number => (random = (random * 16_807) % 2_147_483_647) % below;
    const schedulers = Array.from({ length: SCHEDULERS }, () => scene.scheduler());
    const { id, createdAt } = await (schedulers[0] as Scheduler).service.create(NAMESPACE, WRITTEN);
    await Promise.all(schedulers.map(({ loop }) => loop.start()));

    for (let restart = 0; restart < RESTARTS; restart += 1) {
      scene.clock.advance(EVERY_MS * (1 + next(3)));
      const looks = schedulers.map(({ loop, mortal }) => mortal.untilDoneOrDead(loop.look()));
      const victim = next(SCHEDULERS);
      for (let turns = next(40); turns > 0; turns -= 1) await Promise.resolve();
      if (next(2) === 0) await new Promise(setImmediate);
      schedulers[victim]?.kill();
      await Promise.all(looks);
      const fresh = scene.scheduler();
      schedulers[victim] = fresh;
      await fresh.loop.start();
    }
    await Promise.all(schedulers.map(({ loop }) => loop.look()));
    await until(async () => (await scene.store.findPlan(id))?.open.length === 0, 'every fire is settled');

    const end = scene.clock.now();
    const fires = await scene.store.firesWithin(id, 0, end);
    const expected = Array.from(
      { length: (end - createdAt) / EVERY_MS },
      (_, at) => createdAt + (at + 1) * EVERY_MS,
    );
    const instants = fires.map(({ scheduledAt }) => scheduledAt).toSorted((a, b) => a - b);
    expect(instants).toEqual(expected);
    expect(fires.filter(({ outcome }) => outcome !== 'started')).toEqual([]);

    const runs = await allRuns(id);
    expect(runs).toEqual(fires.map(({ runId = '' }) => runId).toSorted());
    expect(new Set(runs).size).toBe(fires.length);
    await Promise.all(schedulers.map(({ loop }) => loop.stop()));
  });

  it('makes up for what was missed within the window, once, and records the rest as missed', async () => {
    const before = scene.scheduler();
    const policy = { ...WRITTEN.policy, catchUpWindowMs: 3 * EVERY_MS };
    const { id, createdAt } = await before.service.create(NAMESPACE, { ...WRITTEN, policy });
    await before.loop.start();
    before.kill();

    scene.clock.advance(10 * EVERY_MS);
    const after = Array.from({ length: SCHEDULERS }, () => scene.scheduler());
    await Promise.all(after.map(({ loop }) => loop.start()));
    await until(async () => (await scene.store.findPlan(id))?.open.length === 0, 'every fire is settled');

    const fires = await scene.store.firesWithin(id, 0, scene.clock.now());
    const outcomes = fires
      .toSorted((a, b) => a.scheduledAt - b.scheduledAt)
      .map(({ scheduledAt, outcome }) => [(scheduledAt - createdAt) / EVERY_MS, outcome]);
    expect(outcomes).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((at) => [at, 'missed']),
      ...[7, 8, 9, 10].map((at) => [at, 'started']),
    ]);
    expect(await allRuns(id)).toHaveLength(4);
    await Promise.all(after.map(({ loop }) => loop.stop()));
  });

  it('starts the run of a fire whose scheduler died before it did', async () => {
    const dying = scene.scheduler();
    const { id, createdAt } = await dying.service.create(NAMESPACE, WRITTEN);
    await dying.loop.start();
    scene.clock.advance(EVERY_MS);
    const { schedule } = await planOf(id);
    // What it had written when it died: the fire is decided, and nothing was started.
    const fire = {
      ...{
        id: `${id}:${String(createdAt + EVERY_MS)}:scheduled`,
        scheduleId: id,
        cause: 'scheduled' as const,
      },
      ...{
        scheduledAt: createdAt + EVERY_MS,
        firedAt: scene.clock.now(),
        outcome: 'starting' as const,
        isOpen: true,
      },
    };
    const next = { ...schedule, revision: schedule.revision + 1, nextAt: createdAt + 2 * EVERY_MS };
    await scene.store.save({ schedule: next, fires: [fire], seen: schedule.revision, keepFrom: 0 });
    dying.kill();

    const other = scene.scheduler();
    await other.loop.start();

    expect(await scene.store.firesWithin(id, fire.scheduledAt, fire.scheduledAt)).toMatchObject([
      { outcome: 'started', runId: expect.stringMatching(/^run_/) },
    ]);
    expect(await allRuns(id)).toHaveLength(1);
    await other.loop.stop();
  });

  async function planOf(
    id: string,
  ): ReturnType<ScheduleStore['findPlan']> extends Promise<infer P> ? Promise<NonNullable<P>> : never {
    const plan = await scene.store.findPlan(id);
    if (plan === undefined) throw new Error(`There is no schedule ${id}.`);
    return plan;
  }

  async function allRuns(id: string): Promise<readonly string[]> {
    const page = await scene.reader.list(NAMESPACE, { tag: `schedule:${id}` }, { limit: 200 });
    expect(page.nextCursor).toBeUndefined();
    return page.items.map((row) => row.id).toSorted();
  }
}

describe('on SQLite', () => {
  restarts(() => ({}));
});

describeWithPostgres('on PostgreSQL', (url) => {
  restarts(() => ({ DATABASE_URL: url }));
});
