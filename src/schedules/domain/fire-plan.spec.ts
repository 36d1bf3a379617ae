import { aFire, aSchedule, type ScheduleFields } from '../../../test/support/a-schedule.js';
import {
  fireRequested,
  lookAt,
  MAX_BUFFERED,
  MAX_FIRES_AT_ONCE,
  noteStarts,
  workOf,
  type FireChange,
  type FirePlan,
  type RunState,
} from './fire-plan.js';
import type { Fire } from './fire.js';
import { instantsOf } from './next-fires.js';
import type { Overlap, Schedule } from './schedule.js';

const FULL = { code: 'queue.full', kind: 'limited', message: 'full', retryable: true } as const;
const INVALID = {
  code: 'definition.invalid',
  kind: 'unprocessable',
  message: 'bad',
  retryable: false,
} as const;

function look(plan: FirePlan, now: number, runs: Readonly<Record<string, RunState>> = {}): FireChange {
  const next = instantsOf(plan.schedule.rule);
  return lookAt(plan, { runs: new Map(Object.entries(runs)), next, now });
}

/** A schedule whose fire of 10,000 has a run that has not ended. */
function running(policy: ScheduleFields['policy']): FirePlan {
  const schedule = aSchedule({ ...(policy && { policy }), nextAt: 20_000, lastAt: 10_000 });
  return { schedule, open: [aFire(schedule, 10_000, { isOpen: true, runId: 'run_1' })] };
}

function started(change: FirePlan, now: number): FireChange {
  const outcomes = workOf(change, now).start.map(
    ({ id }) => [id, { outcome: 'started', runId: 'run_x' }] as const,
  );
  return noteStarts(change, new Map(outcomes), now);
}

const outcomesOf = (fires: readonly Fire[]): readonly string[] =>
  fires.map(({ scheduledAt, outcome }) => `${String(scheduledAt)} ${outcome}`);

describe('a due instant', () => {
  it('fires once, and the next one is aimed at', () => {
    const first = look({ schedule: aSchedule(), open: [] }, 10_000);
    const again = look(first, 10_000);

    expect(outcomesOf(first.fires)).toEqual(['10000 starting']);
    expect(first.schedule).toMatchObject({ nextAt: 20_000, lastAt: 10_000, wakeAt: 20_000 });
    expect(again.fires).toEqual([]);
    expect(workOf(again, 10_000).start).toEqual(first.fires);
  });

  it('is not fired before its time, nor while the schedule is paused, nor after its end', () => {
    const schedule = aSchedule();
    const paused = aSchedule({ paused: { at: 0 } });
    const ended = aSchedule({ rule: { kind: 'interval', intervalMs: 10, anchorAt: 0, endAt: -1 } });

    expect(look({ schedule, open: [] }, 9_999).fires).toEqual([]);
    for (const none of [paused, ended]) {
      expect(look({ schedule: none, open: [] }, 99_999).fires).toEqual([]);
      expect(none.wakeAt).toBeUndefined();
    }
  });

  it('is late by its jitter, which is the same each time and spread over the whole', () => {
    const schedules = Array.from({ length: 200 }, () => aSchedule({ policy: { jitterMs: 5_000 } }));
    const delays = schedules.map(({ wakeAt = 0 }) => wakeAt - 10_000);

    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_000);
    expect(new Set(delays).size).toBeGreaterThan(180);
    for (const schedule of schedules) {
      const { wakeAt = 0 } = schedule;
      expect(look({ schedule, open: [] }, wakeAt - 1).fires).toEqual([]);
      expect(outcomesOf(look({ schedule, open: [] }, wakeAt).fires)).toEqual(['10000 starting']);
    }
  });

  it('is missed when it is later than the window, and made up for within', () => {
    const schedule = aSchedule({ policy: { overlap: 'allow_all', catchUpWindowMs: 25_000 } });
    const change = look({ schedule, open: [] }, 50_000);

    expect(outcomesOf(change.fires)).toEqual([
      '10000 missed',
      '20000 missed',
      '30000 starting',
      '40000 starting',
      '50000 starting',
    ]);
  });

  it('is one of many that a single record stands for when the service was down for long', () => {
    const schedule = aSchedule({ policy: { overlap: 'allow_all', catchUpWindowMs: 25_000 } });
    const now = 10_000_000_000;
    const first = look({ schedule, open: [] }, now);
    const second = look(first, now);

    expect(first.fires).toHaveLength(MAX_FIRES_AT_ONCE + 1);
    expect(first.fires.at(-1)).toMatchObject({
      outcome: 'missed',
      scheduledAt: 1_010_000,
      untilAt: now - 25_001,
    });
    expect(first.schedule).toMatchObject({ nextAt: now - 20_000 });
    expect(outcomesOf(second.fires)).toEqual([
      `${String(now - 20_000)} starting`,
      `${String(now - 10_000)} starting`,
      `${String(now)} starting`,
    ]);
  });

  it('is decided in the next look when there are many, which is at once', () => {
    const schedule = aSchedule({ policy: { overlap: 'allow_all', catchUpWindowMs: 10_000_000 } });
    const change = look({ schedule, open: [] }, 5_000_000);

    expect(change.fires).toHaveLength(MAX_FIRES_AT_ONCE);
    expect(change.schedule.wakeAt).toBeLessThan(5_000_000);
  });
});

describe('a fire while a run has not ended', () => {
  it.each<
    readonly [Overlap, readonly string[], { readonly cancel: readonly string[]; readonly start: number }]
  >([
    ['skip', ['20000 skipped', '30000 skipped'], { cancel: [], start: 0 }],
    ['buffer_one', ['20000 buffered', '30000 skipped'], { cancel: [], start: 0 }],
    ['buffer_all', ['20000 buffered', '30000 buffered'], { cancel: [], start: 0 }],
    ['cancel_other', ['20000 skipped', '30000 buffered'], { cancel: ['run_1'], start: 0 }],
    ['allow_all', ['20000 starting', '30000 starting'], { cancel: [], start: 2 }],
  ])('does as %s says', (overlap, outcomes, { cancel, start }) => {
    const change = look(running({ overlap }), 30_000, { run_1: 'running' });
    const work = workOf(change, 30_000);

    expect(outcomesOf(change.fires)).toEqual(outcomes);
    expect(work.cancel).toEqual(cancel);
    expect(work.start).toHaveLength(start);
  });

  it('starts what waits when the run has ended, one at a time, oldest first', () => {
    const waiting = look(running({ overlap: 'buffer_all' }), 30_000, { run_1: 'running' });
    const next = look(waiting, 31_000, { run_1: 'completed' });

    expect(outcomesOf(next.open)).toEqual(['20000 starting', '30000 buffered']);
    expect(next.fires).toContainEqual(
      expect.objectContaining({ runId: 'run_1', isOpen: false, runStatus: 'completed' }),
    );
    const last = look(started(next, 31_000), 32_000, { run_x: 'cancelled' });
    expect(outcomesOf(last.open)).toEqual(['30000 starting']);
  });

  it('goes on after a run that the record does not have any more', () => {
    expect(outcomesOf(look(running({}), 20_000, { run_1: 'gone' }).fires)).toEqual([
      '10000 started',
      '20000 starting',
    ]);
  });

  it('waits in a line that is bounded', () => {
    const { schedule, open } = running({ overlap: 'buffer_all' });
    const line = Array.from({ length: MAX_BUFFERED }, (_, index) =>
      aFire(schedule, index, { outcome: 'buffered', isOpen: true }),
    );

    expect(
      outcomesOf(look({ schedule, open: [...line, ...open] }, 20_000, { run_1: 'running' }).fires),
    ).toEqual(['20000 skipped']);
  });
});

describe('a start', () => {
  const due = (policy: NonNullable<ScheduleFields['policy']> = {}): FireChange =>
    look({ schedule: aSchedule({ policy }), open: [] }, 10_000);
  const failed = (plan: FirePlan, failure: typeof FULL | typeof INVALID, now: number): FireChange =>
    noteStarts(plan, new Map(plan.open.map(({ id }) => [id, { outcome: 'failed', failure }])), now);

  it('makes the fire started, and open while its end matters', () => {
    expect(started(due(), 10_001).open).toMatchObject([{ outcome: 'started', runId: 'run_x' }]);
    expect(started(due({ overlap: 'allow_all' }), 10_001).open).toEqual([]);
    expect(started(due({ overlap: 'allow_all', pauseOnFailure: true }), 10_001).open).toHaveLength(1);
  });

  it('is tried again while that may help, ever later, for as long as the window is', () => {
    let now = 10_000;
    let plan = failed(due({ catchUpWindowMs: 120_000 }), FULL, now);
    const delays: number[] = [];
    for (; plan.open.length > 0; plan = failed(plan, FULL, now)) {
      const [retryAt = 0] = plan.open.map((fire) => fire.retryAt);
      expect(workOf(plan, retryAt - 1).start).toEqual([]);
      expect(workOf(plan, retryAt).start).toHaveLength(1);
      delays.push(retryAt - now);
      now = retryAt;
    }

    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    expect(plan.fires).toMatchObject([{ outcome: 'failed', failure: { code: 'queue.full' }, tries: 7 }]);
  });

  it('ends at once with what a repetition does not mend, and may pause the schedule', () => {
    const plain = failed(due(), INVALID, 10_001);
    const pausing = failed(due({ pauseOnFailure: true }), INVALID, 10_001);

    expect(plain.fires).toMatchObject([{ outcome: 'failed', isOpen: false, failure: INVALID }]);
    expect(plain.schedule.paused).toBeUndefined();
    expect(pausing.schedule).toMatchObject({
      paused: { at: 10_001, note: 'a run could not be started: bad' },
    });
    expect(pausing.schedule.wakeAt).toBeUndefined();
  });

  it('of which nobody has heard is begun again', () => {
    expect(look(due(), 12_000).schedule.wakeAt).toBe(20_000); // the next instant comes first
    const ended = aSchedule({
      rule: { kind: 'interval', intervalMs: 10_000, anchorAt: 10_000, endAt: 10_000 },
    });
    expect(look({ schedule: ended, open: [] }, 10_000).schedule.wakeAt).toBe(40_000);
  });

  it('that was noted already changes nothing', () => {
    const plan = started(due(), 10_001);

    expect(started(plan, 10_002).fires).toEqual([]);
  });
});

describe('a failed run', () => {
  it.each<readonly [RunState, boolean]>([
    ['completed', false],
    ['cancelled', false],
    ['failed', true],
    ['timed_out', true],
  ])('that ended as %s pauses: %s', (status, isPaused) => {
    const change = look(running({ pauseOnFailure: true, overlap: 'buffer_all' }), 20_000, { run_1: status });

    expect(change.schedule.paused !== undefined).toBe(isPaused);
    expect(outcomesOf(change.open)).toEqual(isPaused ? [] : ['20000 starting']);
  });

  it('leaves what waited waiting, but for what a person asked for', () => {
    const waiting = look(running({ pauseOnFailure: true, overlap: 'buffer_all' }), 20_000, {
      run_1: 'running',
    });
    const asked = fireRequested(waiting, { cause: 'triggered', instants: [21_000], request: 'a' }, 21_000);
    const paused = look(asked, 22_000, { run_1: 'failed' });

    expect(paused.schedule.paused).toEqual({ at: 22_000, note: 'run run_1 failed' });
    expect(outcomesOf(paused.open)).toEqual(['20000 buffered', '21000 starting']);
  });

  it('pauses nothing where it is not meant to', () => {
    const change = look(running({}), 20_000, { run_1: 'failed' });

    expect(change.schedule.paused).toBeUndefined();
    expect(outcomesOf(change.open)).toEqual(['20000 starting']);
  });
});

describe('a request', () => {
  it('fires beside the rule, paused or not, under the policy', () => {
    const schedule: Schedule = aSchedule({ paused: { at: 0 } });
    const first = fireRequested(
      { schedule, open: [] },
      { cause: 'triggered', instants: [5], request: 'a' },
      5,
    );
    const second = fireRequested(first, { cause: 'triggered', instants: [5], request: 'b' }, 5);

    expect(outcomesOf(first.open)).toEqual(['5 starting']);
    expect(outcomesOf(second.fires)).toEqual(['5 skipped']);
    expect(first.schedule.nextAt).toBeUndefined();
  });

  it.each([
    ['buffer_all', ['1 starting', '2 buffered', '3 buffered']],
    ['allow_all', ['1 starting', '2 starting', '3 starting']],
  ] as const)('has an overlap of its own: %s', (overlap, outcomes) => {
    const plan = { schedule: aSchedule(), open: [] };
    const change = fireRequested(plan, { cause: 'backfilled', instants: [1, 2, 3], overlap }, 9);

    expect(outcomesOf(change.open)).toEqual(outcomes);
  });
});
