import { Logger } from '@nestjs/common';

import { changed } from '../../../test/support/changed.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { memoryStores } from '../../../test/support/memory-stores.js';
import { SteppedTimers } from '../../../test/support/stepped-timers.js';
import { UuidSource } from '../../platform/ids/id.source.js';
import type { Renewal, RunLease } from '../run.lease.js';
import { LEASE_RENEWAL_MS, LEASE_TTL_MS, OwnerService, type OwnerWatcher } from './owner.service.js';

// The troubles that follow would bury the results.
Logger.overrideLogger(false);

/** How long an owner believes in a lease after it sent the renewal. */
const BELIEF_MS = 4_500;

let clock: ManualClock;
let timers: SteppedTimers;
let lease: RunLease;
let told: string[];

beforeEach(() => {
  clock = new ManualClock();
  timers = new SteppedTimers(clock);
  ({ lease } = memoryStores(clock));
  told = [];
});

async function started(using: RunLease = lease, watcher?: OwnerWatcher): Promise<OwnerService> {
  const owner = new OwnerService(using, clock, new UuidSource(), timers);
  if (watcher !== undefined) owner.watch(watcher);
  await owner.start({
    attention: (runIds) => told.push(`attention ${runIds.join()}`),
    held: () => told.push('held'),
    lost: () => told.push('lost'),
  });
  return owner;
}

/** Lets time pass; what each timer sets off comes to its end before the next. */
async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms;
  while (timers.fireNextWithin(end)) await settled();
  clock.advance(end - clock.now());
  await settled();
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The lease, with renewals done otherwise from the second on. */
function laterRenewals(renew: RunLease['renew']): RunLease {
  let isFirst = true;
  return changed(lease, {
    renew: (ownerId, ttlMs) => {
      const first = isFirst;
      isFirst = false;
      return first ? lease.renew(ownerId, ttlMs) : renew(ownerId, ttlMs);
    },
  });
}

describe('an owner', () => {
  it('believes in its lease as long as it renews it', async () => {
    const owner = await started();
    const { id } = owner;

    await pass(60_000);

    expect([owner.believes(), owner.id, told]).toEqual([true, id, ['held']]);
  });

  it('renews once in 1.25 s', async () => {
    const at: number[] = [];
    const startedAt = clock.now();
    await started(
      changed(lease, {
        renew: (ownerId, ttlMs) => {
          at.push(clock.now() - startedAt);
          return lease.renew(ownerId, ttlMs);
        },
      }),
    );

    await pass(3 * LEASE_RENEWAL_MS);

    expect(at).toEqual([0, 1_250, 2_500, 3_750]);
  });

  it('counts from before it sent the renewal, not from the answer', async () => {
    const owner = await started(
      laterRenewals(async (ownerId, ttlMs) => {
        const renewal = await lease.renew(ownerId, ttlMs);
        clock.advance(3_000); // the answer takes its time
        return renewal;
      }),
    );
    const sentAt = clock.monotonic() + LEASE_RENEWAL_MS;

    timers.fireNextWithin(clock.now() + LEASE_RENEWAL_MS);
    await settled();

    clock.advance(sentAt + BELIEF_MS - 1 - clock.monotonic());
    expect(owner.believes()).toBe(true);
    clock.advance(1);
    expect(owner.believes()).toBe(false);
  });

  it('is told of its runs that want to be looked at', async () => {
    await started(
      changed(lease, {
        renew: (_, ttlMs): Promise<Renewal> =>
          Promise.resolve({ held: true, now: ttlMs, attention: ['run_1', 'run_2'] }),
      }),
    );

    expect(told).toEqual(['held', 'attention run_1,run_2']);
  });
});

describe('a lease that is lost', () => {
  it('because renewals fail is given up before the record would take it away', async () => {
    const owner = await started(laterRenewals(() => Promise.reject(new Error('no answer'))));
    const first = owner.id;

    await pass(BELIEF_MS - 1);
    expect(told).toEqual(['held']);
    await pass(LEASE_TTL_MS - BELIEF_MS);

    expect(told).toEqual(['held', 'lost']);
    expect(owner.believes()).toBe(false);
    expect(owner.id).not.toBe(first);
  });

  it('because a renewal never answers is given up all the same', async () => {
    const owner = await started(laterRenewals(() => new Promise(() => undefined)));

    await pass(BELIEF_MS - 1);
    expect(told).toEqual(['held']);
    await pass(2);

    expect([told, owner.believes()]).toEqual([['held', 'lost'], false]);
  });

  it('because the process was stopped is given up before anything else is done', async () => {
    const renewed: string[] = [];
    const owner = await started(
      changed(lease, {
        renew: (ownerId, ttlMs) => {
          renewed.push(ownerId);
          return lease.renew(ownerId, ttlMs);
        },
      }),
    );
    const first = owner.id;

    clock.advance(30_000); // no timer has fired
    expect(owner.believes()).toBe(false);
    await pass(0);

    expect(told).toEqual(['held', 'lost', 'held']);
    expect(renewed).toEqual([first, owner.id]);
  });

  it('because the record says so is given up at once', async () => {
    const owner = await started();
    const first = owner.id;
    await lease.retire({ ownerId: first });

    await pass(LEASE_RENEWAL_MS);
    expect([told, owner.believes()]).toEqual([['held', 'lost'], false]);
    await pass(LEASE_RENEWAL_MS);

    expect([told, owner.believes()]).toEqual([['held', 'lost', 'held'], true]);
    expect(owner.id).not.toBe(first);
  });

  it('is retired, so that its runs are free before it would have run out', async () => {
    const retired: unknown[] = [];
    const owner = await started(
      changed(lease, {
        retire: (which) => {
          retired.push(which);
          return lease.retire(which);
        },
      }),
    );
    const first = owner.id;

    owner.fence();

    expect(retired).toEqual([{ ownerId: first }]);
    await expect(lease.renew(first, 1_000)).resolves.toMatchObject({ held: false });
  });

  it('is not revived by the answer to a renewal that was under way', async () => {
    const answer = Promise.withResolvers<Renewal>();
    const owner = await started(laterRenewals(() => answer.promise));
    await pass(LEASE_RENEWAL_MS);
    owner.fence();

    answer.resolve({ held: true, now: 0, attention: ['run_1'] });
    await settled();

    expect([told, owner.believes()]).toEqual([['held', 'lost'], false]);
  });

  it('is not revived by an answer that a stopped process hears before its own timers', async () => {
    const answer = Promise.withResolvers<Renewal>();
    const owner = await started(laterRenewals(() => answer.promise));
    const { id } = owner;
    await pass(LEASE_RENEWAL_MS);
    clock.advance(BELIEF_MS - 500); // past the first lease, not the second; no timer has fired
    answer.resolve({ held: true, now: clock.now(), attention: [] });
    await settled();

    expect([owner.believes(), owner.id === id, told]).toEqual([false, false, ['held', 'lost']]);
  });

  it('may fail to be retired: the process goes on', async () => {
    const owner = await started(changed(lease, { retire: () => Promise.reject(new Error('no answer')) }));

    owner.fence();
    await pass(LEASE_RENEWAL_MS);

    expect([told, owner.believes()]).toEqual([['held', 'lost', 'held'], true]);
  });
});

describe('a process that stood still', () => {
  const TEXT = /the event loop was blocked for (\d+) ms or more/;
  let warn: jest.SpyInstance;

  beforeEach(() => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  });

  afterEach(() => {
    warn.mockRestore();
  });

  /** What the log says of it: for how long, in milliseconds. */
  const told = (): readonly number[] =>
    warn.mock.calls.flatMap(([text]) => {
      const [, ms] = TEXT.exec(String(text)) ?? [];
      return ms === undefined ? [] : [Number(ms)];
    });

  it.each([
    ['for ten seconds', 10_000, [8_750]],
    ['not long enough to lose its lease', 4_000, [2_750]],
    ['for a moment', 3_000, []],
  ])('%s says so once, before it fences itself', async (_, ms, expected) => {
    await started();
    clock.advance(ms); // no timer has fired
    await pass(60_000);

    expect(told()).toEqual(expected);
    const lines = warn.mock.calls.map(([text]) => (TEXT.test(String(text)) ? 'blocked' : 'fenced'));
    expect(lines).toEqual(ms > BELIEF_MS ? ['blocked', 'fenced'] : expected.map(() => 'blocked'));
  });

  it.each(['its own timers', 'the answer'])(
    'while a renewal was under way says so as well, and hears %s first',
    async (first) => {
      const answer = Promise.withResolvers<Renewal>();
      await started(laterRenewals(() => answer.promise));
      await pass(LEASE_RENEWAL_MS);
      clock.advance(10_000); // no timer has fired
      if (first === 'the answer') answer.resolve({ held: true, now: clock.now(), attention: [] });
      await pass(0);

      expect(told()).toEqual([10_000 + LEASE_RENEWAL_MS - BELIEF_MS]);
    },
  );

  it('is not what a record that does not answer looks like', async () => {
    await started(laterRenewals(() => new Promise(() => undefined)));
    await pass(60_000);

    expect(told()).toEqual([]);
  });
});

describe('an owner that stops', () => {
  it('retires its lease and believes in nothing any more', async () => {
    const owner = await started();
    await owner.stop();
    await owner.stop();

    expect(owner.believes()).toBe(false);
    await expect(lease.renew(owner.id, 1_000)).resolves.toMatchObject({ held: false });
    await pass(60_000);
    expect([told, timers.size]).toEqual([['held'], 0]);
  });

  it('is not revived by the answer to a renewal that was under way', async () => {
    const answer = Promise.withResolvers<Renewal>();
    const owner = await started(laterRenewals(() => answer.promise));
    await pass(LEASE_RENEWAL_MS);
    await owner.stop();

    answer.resolve({ held: true, now: 0, attention: ['run_1'] });
    await pass(60_000);

    expect([told, owner.believes(), timers.size]).toEqual([['held'], false, 0]);
  });

  it('is not fenced', async () => {
    const owner = await started();
    await owner.stop();

    owner.fence();

    expect(told).toEqual(['held']);
  });
});

describe('who watches an owner', () => {
  it('is told of each identity whose lease holds, of each loss, and of leases of others that ended', async () => {
    const watched: string[] = [];
    const owner = await started(lease, {
      held: (ownerId) => watched.push(ownerId),
      lost: () => watched.push('lost'),
      othersRetired: () => watched.push('others'),
    });
    const first = owner.id;
    owner.noteRetired();
    owner.fence();
    await pass(LEASE_RENEWAL_MS);

    expect(watched).toEqual([first, 'others', 'lost', owner.id]);
    expect(owner.id).not.toBe(first);
  });
});

it('lets the clock follow what the record says', async () => {
  const heard: number[][] = [];
  jest.spyOn(clock, 'follow').mockImplementation((...said) => void heard.push(said));
  await started();

  expect(heard).toEqual([[clock.now(), clock.monotonic()]]);
});
