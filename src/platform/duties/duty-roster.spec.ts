import { Logger } from '@nestjs/common';

import { changed } from '../../../test/support/changed.js';
import { aRoster } from '../../../test/support/duties.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { memoryStores } from '../../../test/support/memory-stores.js';
import { until } from '../../../test/support/until.js';
import { InProcessBell } from '../../storage/memory/in-process-bell.js';
import type { BellReach } from '../ports/bell.js';
import type { Duty } from './duty.js';
import type { DutyRoster } from './duty-roster.js';

// The troubles that follow would bury the results.
Logger.overrideLogger(false);

const TTL_MS = 5_000;

/** A duty that notes what is asked of it. */
class NotedDuty implements Duty {
  readonly notes: string[] = [];

  constructor(readonly name = 'schedules') {}

  start(): void | Promise<void> {
    this.notes.push('start');
  }

  stop(deadline: AbortSignal): void {
    this.notes.push(deadline.aborted ? 'break off' : 'stop');
  }

  wake(about = 'anything'): void {
    this.notes.push(`wake ${about}`);
  }
}

interface Process {
  readonly roster: DutyRoster;
  readonly duty: NotedDuty;
  readonly ownerId: string;
}

let clock: ManualClock;
let stores: ReturnType<typeof memoryStores>;
let bell: InProcessBell;

beforeEach(() => {
  clock = new ManualClock();
  stores = memoryStores(clock);
  bell = new InProcessBell();
});

/** A process whose lease holds. */
async function process(
  ownerId: string,
  options: { duty?: NotedDuty; bell?: InProcessBell } = {},
): Promise<Process> {
  const { duty = new NotedDuty() } = options;
  const roster = aRoster({ clock, stores, bell, ...options });
  roster.register(duty);
  await stores.lease.renew(ownerId, TTL_MS);
  roster.hold(ownerId);
  await roster.begun;
  return { roster, duty, ownerId };
}

async function retire(ownerId: string): Promise<void> {
  await stores.lease.retire({ ownerId });
}

it('begins what nobody holds, in one process', async () => {
  const first = await process('own_1');
  const second = await process('own_2');

  expect(first.duty.notes).toEqual(['start']);
  expect(second.duty.notes).toEqual([]);
  expect(first.roster.list()).toEqual([{ name: 'schedules', isHeld: true }]);
  expect(second.roster.list()).toEqual([{ name: 'schedules', isHeld: false }]);
});

it('takes over when the lease of the holder was retired', async () => {
  await process('own_1');
  const { roster, duty } = await process('own_2');
  await retire('own_1');
  roster.othersRetired();

  await until(() => duty.notes.includes('start'), 'the second has begun');
});

it('takes over at once what was given up, and the first one takes nothing any more', async () => {
  const first = await process('own_1');
  const second = await process('own_2');
  await first.roster.drain(AbortSignal.timeout(60_000));
  await until(() => second.duty.notes.includes('start'), 'the second has begun');
  await retire('own_2');
  first.roster.othersRetired();
  first.roster.hold('own_1');

  expect(first.duty.notes).toEqual(['start', 'stop']);
});

it('breaks off when the lease is lost, and begins anew with the next one', async () => {
  const { roster, duty } = await process('own_1');
  roster.lose();
  await until(() => duty.notes.length === 2, 'it has ended');
  await retire('own_1');
  await stores.lease.renew('own_3', TTL_MS);
  roster.hold('own_3');
  await until(() => duty.notes.length === 3, 'it has begun again');

  expect(duty.notes).toEqual(['start', 'break off', 'start']);
});

it('does not begin what it got for a lease that was lost meanwhile', async () => {
  const asked = Promise.withResolvers<undefined>();
  const answer = Promise.withResolvers<undefined>();
  const duties = changed(stores.duties, {
    take: async (names: readonly string[], ownerId: string) => {
      asked.resolve(undefined);
      await answer.promise;
      return stores.duties.take(names, ownerId);
    },
  });
  const duty = new NotedDuty();
  const roster = aRoster({ clock, stores: { duties }, bell });
  roster.register(duty);
  await stores.lease.renew('own_1', TTL_MS);
  roster.hold('own_1');
  await asked.promise;
  roster.lose();
  answer.resolve(undefined);
  await roster.drain(AbortSignal.abort());

  expect(duty.notes).toEqual([]);
});

it('begins again what could not begin', async () => {
  const duty = new NotedDuty();
  let isBroken = true;
  duty.start = () => {
    if (isBroken) throw new Error('not now');
    duty.notes.push('start');
  };
  const { roster } = await process('own_1', { duty });
  expect(duty.notes).toEqual([]);
  isBroken = false;
  roster.othersRetired();

  await until(() => duty.notes.includes('start'), 'it has begun');
});

it('looks again when the record did not answer', async () => {
  let isAway = true;
  const duties = changed(stores.duties, {
    take: (names: readonly string[], ownerId: string) =>
      isAway ? Promise.reject(new Error('away')) : stores.duties.take(names, ownerId),
  });
  const duty = new NotedDuty();
  const roster = aRoster({ clock, stores: { duties }, bell });
  roster.register(duty);
  await stores.lease.renew('own_1', TTL_MS);
  roster.hold('own_1');
  await roster.begun;
  isAway = false;
  roster.othersRetired();

  await until(() => duty.notes.includes('start'), 'it has begun');
});

it('tells the holder in another process what there is to do, and itself nothing', async () => {
  const first = await process('own_1');
  const second = await process('own_2');
  second.roster.tell('schedules', 'sch_1');
  first.roster.tell('schedules', 'sch_2');

  expect(first.duty.notes).toEqual(['start', 'wake sch_1']);
  expect(second.duty.notes).toEqual([]);
});

it('lets a holder look for what it was not told of: never where all rings arrive, rarely where most do, else always', async () => {
  class ReachingBell extends InProcessBell {
    constructor(override readonly reach: BellReach) {
      super();
    }
  }
  const reaches = ['all', 'most', 'none'] as const;
  const [all, most, none] = await Promise.all(
    reaches.map((reach) =>
      process(`own_${reach}`, { duty: new NotedDuty(reach), bell: new ReachingBell(reach) }),
    ),
  );
  for (let looks = 0; looks < 3; looks += 1) for (const one of [all, most, none]) one?.roster.othersRetired();
  clock.advance(60_000);
  for (const one of [all, most, none]) one?.roster.othersRetired();

  const wakes = [all, most, none].map(
    (one) => one?.duty.notes.filter((note) => note === 'wake anything').length,
  );
  expect(wakes).toEqual([0, 2, 4]);
});

it('knows a duty by its name', () => {
  const roster = aRoster();
  roster.register(new NotedDuty());

  expect(() => {
    roster.register(new NotedDuty());
  }).toThrow('Two duties are named "schedules"');
});
