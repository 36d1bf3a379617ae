import type { Claim } from '../../src/runs/domain/claim.js';
import { aRun, aRunId, aSummary, anAppend, anIdleSummary } from '../support/a-run.js';
import { LONG_TTL_MS, SHORT_MS, OWNERS_WITHOUT_LEASE, useRecord, type RecordEngine } from './record-scene.js';

const RACES = 100;

/** What every `RunLease` promises. */
export function runLeaseContract(engine: RecordEngine): void {
  describe(`RunLease on ${engine.name}`, () => {
    const scene = useRecord(engine);

    describe('renew', () => {
      it("registers an owner and answers the record's time", async () => {
        const before = await scene.stores.now();

        const renewal = await scene.stores.lease.renew('own_1', LONG_TTL_MS);

        expect(renewal).toMatchObject({ held: true, attention: [] });
        expect(renewal.now).toBeGreaterThanOrEqual(before);
        expect(renewal.now).toBeLessThanOrEqual(await scene.stores.now());
      });

      it('extends a lease from now', async () => {
        const ownerId = await scene.owner(LONG_TTL_MS);
        const first = await scene.stores.lease.due(1);
        await scene.passTime(SHORT_MS);

        expect(await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).toMatchObject({ held: true });

        const second = await scene.stores.lease.due(1);
        expect((second.nextExpiryAt ?? 0) - (first.nextExpiryAt ?? 0)).toBeGreaterThanOrEqual(SHORT_MS);
      });

      it('does not revive a lease that has run out', async () => {
        const ownerId = await scene.deadOwner();

        expect(await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).toMatchObject({
          held: false,
          attention: [],
        });
        expect(await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).toMatchObject({ held: false });
      });

      it.each(['expired', 'all', 'one'] as const)(
        'does not revive a lease that was retired (%s)',
        async (which) => {
          const ownerId = which === 'expired' ? await scene.deadOwner() : await scene.owner();
          await scene.stores.lease.retire(which === 'one' ? { ownerId } : which);

          expect(await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).toMatchObject({ held: false });
        },
      );

      it('names runs of the owner whose time has come, longest due first', async () => {
        const ownerId = await scene.owner();
        const now = await scene.stores.now();
        const [late, early, asleep] = [now - 10, now - 20, now + LONG_TTL_MS];
        const claims: Claim[] = [];
        for (const wakeAt of [late, early, asleep]) {
          const claim = await scene.claimedRun(ownerId);
          await scene.stores.runs.append(anAppend(claim, { summary: aSummary({ wakeAt }) }));
          claims.push(claim);
        }
        await scene.claimedRun();

        const renewal = await scene.stores.lease.renew(ownerId, LONG_TTL_MS);

        expect(renewal.attention).toEqual([claims[1]?.runId, claims[0]?.runId]);
      });

      it('names a run of the owner into whose inbox something came', async () => {
        const ownerId = await scene.owner();
        const claim = await scene.claimedRun(ownerId);
        await scene.stores.runs.append(anAppend(claim, { summary: anIdleSummary() }));
        expect((await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).attention).toEqual([]);

        await scene.putCancel(claim.runId);

        expect((await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).attention).toEqual([claim.runId]);
      });

      it('names no run that was parked', async () => {
        const ownerId = await scene.owner();
        const claim = await scene.claimedRun(ownerId);
        await scene.stores.lease.park(claim, 0, (await scene.stores.now()) - 1);

        expect((await scene.stores.lease.renew(ownerId, LONG_TTL_MS)).attention).toEqual([]);
      });
    });

    describe('retire', () => {
      it('frees the runs of the owner named, due at once, and says how many', async () => {
        const ownerId = await scene.owner();
        const [first, second] = [await scene.claimedRun(ownerId), await scene.claimedRun(ownerId)];
        const kept = await scene.claimedRun();
        await scene.stores.runs.append(anAppend(first, { summary: anIdleSummary() }));

        expect(await scene.stores.lease.retire({ ownerId })).toBe(2);

        expect([...(await scene.dueIds())].sort()).toEqual([first.runId, second.runId].sort());
        expect(await scene.row(kept.runId)).toMatchObject({ ownerId: kept.ownerId });
      });

      it('keeps the epoch, and the next claim raises it', async () => {
        const ownerId = await scene.owner();
        const { runId } = await scene.claimedRun(ownerId);
        await scene.stores.lease.retire({ ownerId });
        expect(await scene.row(runId)).toMatchObject({ epoch: 1 });

        expect(await scene.claim(runId, await scene.owner())).toMatchObject({ epoch: 2 });
      });

      it('frees the runs of owners whose lease has run out, and of no others', async () => {
        const live = await scene.claimedRun();
        const dead = await scene.owner();
        const { runId } = await scene.claimedRun(dead);
        await scene.expire(dead);
        expect(await scene.dueIds()).toEqual([]);

        expect(await scene.stores.lease.retire('expired')).toBe(1);

        expect(await scene.dueIds()).toEqual([runId]);
        expect(await scene.row(live.runId)).toMatchObject({ ownerId: live.ownerId });
      });

      it('frees all runs', async () => {
        const claims = [await scene.claimedRun(), await scene.claimedRun()];
        await scene.freeRun();

        expect(await scene.stores.lease.retire('all')).toBe(2);

        expect(await scene.dueIds()).toHaveLength(3);
        for (const { runId } of claims) expect((await scene.row(runId)).ownerId).toBeUndefined();
      });

      it('frees nothing the second time', async () => {
        const ownerId = await scene.owner();
        await scene.claimedRun(ownerId);
        await scene.stores.lease.retire({ ownerId });

        expect(await scene.stores.lease.retire({ ownerId })).toBe(0);
        expect(await scene.stores.lease.retire('expired')).toBe(0);
        expect(await scene.stores.lease.retire('all')).toBe(0);
      });

      it('takes an owner that was never registered for one without runs', async () => {
        expect(await scene.stores.lease.retire({ ownerId: 'own_unknown' })).toBe(0);
      });
    });

    describe('claim', () => {
      it('gives a free run with its next epoch', async () => {
        const run = await scene.freeRun({ namespace: 'other' });
        const ownerId = await scene.owner();

        expect(await scene.stores.lease.claim(run.id, ownerId, 0)).toEqual({
          claim: { runId: run.id, ownerId, epoch: 1 },
          namespace: 'other',
          lastSeq: 1,
          inboxSeq: 0,
        });
        expect(await scene.row(run.id, 'other')).toMatchObject({ ownerId, epoch: 1 });
        expect(await scene.dueIds()).toEqual([]);
      });

      it('says where log and inbox of the run stand', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.runs.append(anAppend(claim, { count: 4 }));
        await scene.putCancel(claim.runId);
        await scene.stores.lease.release(claim);

        const claimed = await scene.stores.lease.claim(claim.runId, claim.ownerId);

        expect(claimed).toMatchObject({ claim: { epoch: 2 }, lastSeq: 5, inboxSeq: 1 });
      });

      it('refuses a run that is owned, even by the same owner', async () => {
        const claim = await scene.claimedRun();

        expect(await scene.stores.lease.claim(claim.runId, claim.ownerId)).toBeUndefined();
        expect(await scene.stores.lease.claim(claim.runId, await scene.owner(), 1)).toBeUndefined();
        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId, epoch: 1 });
      });

      it("refuses an epoch that is not the run's any more", async () => {
        const claim = await scene.claimedRun();
        await scene.stores.lease.release(claim);

        expect(await scene.stores.lease.claim(claim.runId, claim.ownerId, 0)).toBeUndefined();
        expect(await scene.stores.lease.claim(claim.runId, claim.ownerId, 2)).toBeUndefined();
        expect(await scene.stores.lease.claim(claim.runId, claim.ownerId, 1)).toBeDefined();
      });

      it('refuses a run that does not exist', async () => {
        expect(await scene.stores.lease.claim(aRunId(), await scene.owner())).toBeUndefined();
      });

      it.each(OWNERS_WITHOUT_LEASE)('refuses an owner whose lease %s', async (_, makeOwner) => {
        const run = await scene.freeRun();

        expect(await scene.stores.lease.claim(run.id, await makeOwner(scene))).toBeUndefined();

        expect(await scene.row(run.id)).toMatchObject({ epoch: 0 });
        expect(await scene.dueIds()).toEqual([run.id]);
      });

      it('is won by one of twenty owners at the same time', async () => {
        const owners = await Promise.all(Array.from({ length: 20 }, () => scene.owner()));
        const run = await scene.freeRun();

        const claims = await Promise.all(owners.map((owner) => scene.stores.lease.claim(run.id, owner)));

        const won = claims.filter((claim) => claim !== undefined);
        expect(won).toHaveLength(1);
        expect(await scene.row(run.id)).toMatchObject({ ownerId: won[0]?.claim.ownerId, epoch: 1 });
      });

      it('takes a run over once the lease of its owner has run out and was retired', async () => {
        const dead = await scene.owner();
        const old = await scene.claimedRun(dead);
        const ownerId = await scene.owner();
        await scene.expire(dead);
        expect(await scene.stores.lease.claim(old.runId, ownerId)).toBeUndefined();
        await scene.stores.lease.retire('expired');

        const claim = await scene.claim(old.runId, ownerId);

        expect(claim).toMatchObject({ ownerId, epoch: 2 });
        expect(await scene.stores.runs.append(anAppend(old))).toEqual({ outcome: 'refused' });
        expect(await scene.stores.lease.park(old, 0, undefined)).toBe(false);
      });
    });

    describe('park', () => {
      it('gives a claim up until wakeAt', async () => {
        const claim = await scene.claimedRun();
        const wakeAt = (await scene.stores.now()) + LONG_TTL_MS;

        expect(await scene.stores.lease.park(claim, 0, wakeAt)).toBe(true);

        const row = await scene.row(claim.runId);
        expect(row).toMatchObject({ epoch: 1, summary: { wakeAt } });
        expect(row.ownerId).toBeUndefined();
        expect(await scene.stores.lease.due(10)).toMatchObject({ runs: [], nextWakeAt: wakeAt });
      });

      it('gives a claim up until something comes in', async () => {
        const claim = await scene.claimedRun();

        expect(await scene.stores.lease.park(claim, 0, undefined)).toBe(true);
        expect((await scene.row(claim.runId)).summary.wakeAt).toBeUndefined();
        expect(await scene.dueIds()).toEqual([]);

        await scene.putCancel(claim.runId);
        expect(await scene.dueIds()).toEqual([claim.runId]);
      });

      it('is refused when something came in that the owner has not seen', async () => {
        const claim = await scene.claimedRun();
        await scene.putCancel(claim.runId);

        expect(await scene.stores.lease.park(claim, 0, undefined)).toBe(false);

        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId, epoch: 1 });
        expect(await scene.stores.lease.park(claim, 1, undefined)).toBe(true);
      });

      it('is refused when the claim is lost', async () => {
        const claim = await scene.claimedRun();

        expect(await scene.stores.lease.park({ ...claim, epoch: 0 }, 0, undefined)).toBe(false);
        expect(await scene.stores.lease.park({ ...claim, ownerId: 'own_x' }, 0, undefined)).toBe(false);
        expect(await scene.stores.lease.park({ ...claim, runId: aRunId() }, 0, undefined)).toBe(false);

        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId });
      });

      it('is refused the second time', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.lease.park(claim, 0, undefined);

        expect(await scene.stores.lease.park(claim, 0, undefined)).toBe(false);
      });

      it.each(['park first', 'put first'] as const)(
        `loses no wake-up in ${RACES} races with the inbox (%s)`,
        async (order) => {
          const ownerId = await scene.owner();
          const asleep: string[] = [];
          for (let round = 0; round < RACES; round += 1) {
            const claim = await scene.claimedRun(ownerId);
            const park = (): Promise<boolean> => scene.stores.lease.park(claim, 0, undefined);
            const put = (): Promise<boolean> => scene.putCancel(claim.runId);
            await Promise.all(order === 'park first' ? [park(), put()] : [put(), park()]);

            const { attention } = await scene.stores.lease.renew(ownerId, LONG_TTL_MS);
            const seen = [...attention, ...(await scene.dueIds(RACES + 1))];
            if (!seen.includes(claim.runId)) asleep.push(claim.runId);
          }

          expect(asleep).toEqual([]);
        },
      );
    });

    describe('release', () => {
      it('gives a claim up, due at once', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.runs.append(anAppend(claim, { summary: anIdleSummary() }));

        await scene.stores.lease.release(claim);

        expect(await scene.row(claim.runId)).toMatchObject({ epoch: 1 });
        expect(await scene.dueIds()).toEqual([claim.runId]);
      });

      it('does nothing when the claim is lost', async () => {
        const claim = await scene.claimedRun();

        await scene.stores.lease.release({ ...claim, epoch: 0 });
        await scene.stores.lease.release({ ...claim, ownerId: 'own_x' });
        await scene.stores.lease.release({ ...claim, runId: aRunId() });

        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId, epoch: 1 });
      });

      it('does not wake a run that was parked', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.lease.park(claim, 0, undefined);

        await scene.stores.lease.release(claim);

        expect(await scene.dueIds()).toEqual([]);
      });
    });

    describe('due', () => {
      it('finds nothing in an empty record', async () => {
        expect(await scene.stores.lease.due(10)).toEqual({ runs: [] });
      });

      it('finds free runs whose time has come: by priority, then longest due, then id', async () => {
        const now = await scene.stores.now();
        const rows: readonly (readonly [priority: number, dueSinceMs: number])[] = [
          [50, 10],
          [50, 30],
          [100, 0],
          [0, 99],
          [50, 10],
        ];
        const runs = rows.map(([priority, ms]) =>
          aRun({ priority, summary: aSummary({ wakeAt: now - ms }) }),
        );
        for (const run of runs.toReversed()) await scene.stores.runs.create({ run });

        expect(await scene.dueIds()).toEqual([2, 1, 0, 4, 3].map((index) => runs[index]?.id));
      });

      it('finds at most as many as asked, the most urgent ones', async () => {
        const run = await scene.freeRun({ priority: 100 });
        for (let count = 0; count < 3; count += 1) await scene.freeRun({ priority: 10 });

        expect(await scene.dueIds(1)).toEqual([run.id]);
        expect(await scene.dueIds(3)).toHaveLength(3);
      });

      it('finds runs of all namespaces', async () => {
        const runs = [await scene.freeRun({ namespace: 'a' }), await scene.freeRun({ namespace: 'b' })];

        expect(await scene.dueIds()).toEqual(runs.map(({ id }) => id));
      });

      it('finds neither owned runs, nor sleeping ones, nor those that only wait for their inbox', async () => {
        await scene.claimedRun();
        const wakeAt = (await scene.stores.now()) + LONG_TTL_MS;
        await scene.freeRun({ summary: aSummary({ wakeAt }) });
        await scene.freeRun({ summary: anIdleSummary() });

        expect(await scene.dueIds()).toEqual([]);
      });

      it('finds a sleeping run once its time has come', async () => {
        const wakeAt = (await scene.stores.now()) + SHORT_MS;
        const run = await scene.freeRun({ summary: aSummary({ wakeAt }) });
        await scene.passTime(SHORT_MS);

        expect(await scene.dueIds()).toEqual([run.id]);
      });

      it('says when the next free run is due', async () => {
        const now = await scene.stores.now();
        for (const ms of [3, 1, 2]) {
          await scene.freeRun({ summary: aSummary({ wakeAt: now + ms * LONG_TTL_MS }) });
        }
        await scene.freeRun();
        await scene.claimedRun(undefined, { summary: aSummary({ wakeAt: now + 1 }) });

        expect(await scene.stores.lease.due(10)).toMatchObject({ nextWakeAt: now + LONG_TTL_MS });
      });

      it('says when the next lease runs out that was not retired', async () => {
        const retired = await scene.owner(LONG_TTL_MS);
        const { now } = await scene.stores.lease.renew('own_b', 3 * LONG_TTL_MS);
        await scene.owner(4 * LONG_TTL_MS);
        await scene.stores.lease.retire({ ownerId: retired });

        expect(await scene.stores.lease.due(1)).toMatchObject({ nextExpiryAt: now + 3 * LONG_TTL_MS });
      });

      it('names a lease that has run out until it is retired', async () => {
        await scene.deadOwner();

        const { nextExpiryAt } = await scene.stores.lease.due(1);
        expect(nextExpiryAt).toBeLessThanOrEqual(await scene.stores.now());

        await scene.stores.lease.retire('expired');
        expect((await scene.stores.lease.due(1)).nextExpiryAt).toBeUndefined();
      });
    });
  });
}
