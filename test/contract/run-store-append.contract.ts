import type { Claim } from '../../src/runs/domain/claim.js';
import type { Append } from '../../src/runs/run.store.js';
import { aRun, aRunId, aSummary, anAppend, anEvent, anIdleSummary, someEvents } from '../support/a-run.js';
import type { RecordScene } from './record-scene.js';

/** What `RunStore.append` promises. */
export function appendContract(scene: RecordScene): void {
  describe('append', () => {
    it('adds events and replaces the summary', async () => {
      const claim = await scene.claimedRun();
      const summary = aSummary({
        status: 'waiting',
        startedAt: 1_700_000_000_001,
        stepsTotal: 4,
        stepsCompleted: 1,
        stepsFailed: 2,
        stepsSkipped: 1,
        inputTokens: 10,
        outputTokens: 20,
        costMicros: 123_456_789_012,
        failureCode: 'step.timed-out',
        wakeAt: (await scene.stores.now()) + 60_000,
      });
      const append = anAppend(claim, { count: 2, summary });

      expect(await scene.stores.runs.append(append)).toEqual({ outcome: 'appended', inboxSeq: 0 });

      expect(await scene.row(claim.runId)).toMatchObject({ summary, lastSeq: 3, epoch: 1 });
      expect((await scene.texts(claim.runId)).slice(1)).toEqual(append.events.map(({ text }) => text));
    });

    it('forgets what the summary no longer says', async () => {
      const claim = await scene.claimedRun();
      const summary = aSummary({ status: 'running', startedAt: 5, failureCode: 'x.y' });
      await scene.stores.runs.append(anAppend(claim, { summary }));
      await scene.stores.runs.append(
        anAppend(claim, { expectedSeq: 2, summary: anIdleSummary({ status: 'running' }) }),
      );

      expect((await scene.row(claim.runId)).summary).toEqual(anIdleSummary({ status: 'running' }));
    });

    it.each([
      ['an older epoch', (claim: Claim): Append => anAppend({ ...claim, epoch: claim.epoch - 1 })],
      ['an epoch to come', (claim: Claim): Append => anAppend({ ...claim, epoch: claim.epoch + 1 })],
      ['an earlier sequence', (claim: Claim): Append => anAppend(claim, { expectedSeq: 0 })],
      ['a later sequence', (claim: Claim): Append => anAppend(claim, { expectedSeq: 2 })],
      ['another namespace', (claim: Claim): Append => anAppend(claim, { namespace: 'other' })],
      ['a run that does not exist', (claim: Claim): Append => anAppend({ ...claim, runId: aRunId() })],
    ])('refuses %s and writes nothing', async (_, make) => {
      const claim = await scene.claimedRun();
      await scene.putCancel(claim.runId);
      const { rows: inboxRows } = await scene.stores.inbox.pending(claim.runId);
      const { rows, present } = await scene.alsoRows();
      const before = [await scene.row(claim.runId), await scene.texts(claim.runId)];
      const append = { ...make(claim), also: rows, consumedInbox: inboxRows.map(({ id }) => id) };

      expect(await scene.stores.runs.append(append)).toEqual({ outcome: 'refused' });

      expect([await scene.row(claim.runId), await scene.texts(claim.runId)]).toEqual(before);
      expect((await scene.stores.inbox.pending(claim.runId)).rows).toEqual(inboxRows);
      expect(await present()).toBe(0);
    });

    it.each([
      ['none', (claim: Claim): Append => anAppend(claim, { events: [] })],
      [
        'not numbered from the next one',
        (claim: Claim): Append => anAppend(claim, { events: someEvents(claim.runId, 3, 1) }),
      ],
      [
        'numbered with a repeat',
        (claim: Claim): Append =>
          anAppend(claim, { events: [anEvent(claim.runId, 2), anEvent(claim.runId, 2)] }),
      ],
    ])('throws when the events are %s, and writes nothing', async (_, make) => {
      const claim = await scene.claimedRun();

      await expect(scene.stores.runs.append(make(claim))).rejects.toThrow(RangeError);

      expect(await scene.row(claim.runId)).toMatchObject({ lastSeq: 1 });
      expect(await scene.stores.runs.append(anAppend(claim))).toMatchObject({ outcome: 'appended' });
    });

    it('answers each of many appends at the same time on its own', async () => {
      const ownerId = await scene.owner();
      const claims = await Promise.all(Array.from({ length: 50 }, () => scene.claimedRun(ownerId)));
      const appends = claims.map((claim, index) =>
        anAppend(index % 10 === 3 ? { ...claim, epoch: claim.epoch - 1 } : claim, {
          count: 1 + (index % 3),
        }),
      );

      const results = await Promise.all(appends.map((append) => scene.stores.runs.append(append)));

      const outcomes = results.map(({ outcome }) => outcome);
      expect(outcomes).toEqual(claims.map((_, index) => (index % 10 === 3 ? 'refused' : 'appended')));
      for (const [index, claim] of claims.entries()) {
        const expected = index % 10 === 3 ? 1 : 2 + (index % 3);
        expect(await scene.texts(claim.runId)).toHaveLength(expected);
      }
    });

    it('lets an append that throws fail alone among many', async () => {
      const ownerId = await scene.owner();
      const claims = await Promise.all(Array.from({ length: 10 }, () => scene.claimedRun(ownerId)));
      const appends = claims.map((claim, index) => anAppend(claim, index === 5 ? { events: [] } : {}));

      const results = await Promise.allSettled(appends.map((append) => scene.stores.runs.append(append)));

      expect(results.map(({ status }) => status === 'fulfilled')).toEqual(
        claims.map((_, index) => index !== 5),
      );
    });

    it('lets one of several appends after the same event win', async () => {
      const claim = await scene.claimedRun();
      const appends = Array.from({ length: 10 }, () => anAppend(claim));

      const results = await Promise.all(appends.map((append) => scene.stores.runs.append(append)));

      expect(results.filter(({ outcome }) => outcome === 'appended')).toHaveLength(1);
      const won = appends[results.findIndex(({ outcome }) => outcome === 'appended')];
      expect(await scene.stores.runs.findAppend(claim.runId, 1, won?.appendId ?? '')).toBe(true);
      expect(await scene.texts(claim.runId)).toHaveLength(2);
    });

    it('keeps the numbers of twenty logs contiguous while all grow at once', async () => {
      const ownerId = await scene.owner();
      const claims = await Promise.all(Array.from({ length: 20 }, () => scene.claimedRun(ownerId)));

      await Promise.all(
        claims.map(async (claim) => {
          for (let seq = 1; seq <= 10; seq += 1) {
            await scene.stores.runs.append(anAppend(claim, { expectedSeq: seq }));
          }
        }),
      );

      for (const { runId } of claims) {
        expect(await scene.texts(runId)).toEqual(someEvents(runId, 1, 11).map(({ text }) => text));
      }
    });

    it('makes rows of every kind true together with the events', async () => {
      const claim = await scene.claimedRun();
      const { rows, present } = await scene.alsoRows();

      await scene.stores.runs.append(anAppend(claim, { also: rows }));

      expect(await present()).toBe(5);
    });

    it('creates a child free, with epoch 0 and due', async () => {
      const claim = await scene.claimedRun();
      const child = aRun({ parentId: claim.runId });

      await scene.stores.runs.append(anAppend(claim, { also: [{ kind: 'run', run: child }] }));

      expect(await scene.row(child.id)).toMatchObject({ parentId: claim.runId, epoch: 0, lastSeq: 1 });
      expect(await scene.dueIds()).toEqual([child.id]);
    });

    it('leaves a child that exists as it is', async () => {
      const child = await scene.freeRun({ name: 'first' });
      const claim = await scene.claimedRun();
      const again = aRun({ id: child.id, name: 'second' });

      const result = await scene.stores.runs.append(anAppend(claim, { also: [{ kind: 'run', run: again }] }));

      expect(result.outcome).toBe('appended');
      expect(await scene.row(child.id)).toMatchObject({ name: 'first', lastSeq: 1 });
    });

    it("wakes a parked parent by writing its inbox with the child's end", async () => {
      const parent = await scene.claimedRun();
      await scene.stores.lease.park(parent, 0, undefined);
      const child = await scene.claimedRun();
      const entry = {
        namespace: 'default',
        runId: parent.runId,
        command: { type: 'resume' },
        at: 1,
      } as const;

      await scene.stores.runs.append(anAppend(child, { also: [{ kind: 'inbox', entry }] }));

      expect((await scene.stores.inbox.pending(parent.runId)).rows).toMatchObject([entry]);
      expect(await scene.dueIds()).toEqual([parent.runId]);
    });

    it.each(['default', 'other'])(
      'leaves out an inbox row of a run that is not there (namespace %s)',
      async (namespace) => {
        const claim = await scene.claimedRun();
        const runId = namespace === 'default' ? aRunId() : (await scene.freeRun()).id;
        const entry = { namespace, runId, command: { type: 'resume' }, at: 1 } as const;

        const result = await scene.stores.runs.append(anAppend(claim, { also: [{ kind: 'inbox', entry }] }));

        expect(result.outcome).toBe('appended');
        expect((await scene.stores.inbox.pending(runId)).rows).toEqual([]);
      },
    );

    it('leaves out an inbox row of a run that has ended, and leaves that as it is', async () => {
      const ended = await scene.claimedRun();
      const end = { summary: anIdleSummary({ status: 'completed', endedAt: 1_700_000_000_500 }) };
      await scene.stores.runs.append(anAppend(ended, end));
      const claim = await scene.claimedRun();
      const command = { type: 'cancel' } as const;
      const entry = { namespace: 'default', runId: ended.runId, command, at: 1 };

      const result = await scene.stores.runs.append(anAppend(claim, { also: [{ kind: 'inbox', entry }] }));

      expect(result.outcome).toBe('appended');
      expect(await scene.stores.inbox.pending(ended.runId)).toEqual({ rows: [], inboxSeq: 0 });
      expect(await scene.dueIds()).toEqual([]);
    });

    it('cancels a child in the append that creates it', async () => {
      const claim = await scene.claimedRun();
      const run = aRun({ parentId: claim.runId });
      const entry = { namespace: 'default', runId: run.id, command: { type: 'cancel' }, at: 1 } as const;
      const also = [{ kind: 'run', run } as const, { kind: 'inbox', entry } as const];

      await scene.stores.runs.append(anAppend(claim, { also }));

      expect((await scene.stores.inbox.pending(run.id)).rows).toMatchObject([entry]);
    });

    it("ends a child and delivers its end to the parent's inbox, or neither", async () => {
      const parent = await scene.claimedRun();
      await scene.stores.lease.park(parent, 0, undefined);
      const ownerId = await scene.owner();
      const lost = await scene.claimedRun(ownerId, { parentId: parent.runId });
      await scene.stores.lease.retire({ ownerId });
      const held = await scene.claim(lost.runId, await scene.owner());
      const outcome = { status: 'completed', output: 1 } as const;
      const command = { type: 'deliver', path: 'sub', wait: 4, outcome } as const;
      const entry = { namespace: 'default', runId: parent.runId, command, at: 1 };
      const end = {
        summary: anIdleSummary({ status: 'completed', endedAt: 1_700_000_000_500 }),
        also: [{ kind: 'inbox', entry } as const],
      };

      expect(await scene.stores.runs.append(anAppend(lost, end))).toEqual({ outcome: 'refused' });
      expect((await scene.row(held.runId)).summary.status).toBe('queued');
      expect((await scene.stores.inbox.pending(parent.runId)).rows).toEqual([]);

      await scene.stores.runs.append(anAppend(held, end));
      expect((await scene.row(held.runId)).summary.status).toBe('completed');
      expect((await scene.stores.inbox.pending(parent.runId)).rows).toMatchObject([entry]);
      expect(await scene.dueIds()).toEqual([parent.runId]);
    });

    it('replaces the idempotency row of the same key', async () => {
      const begun = await scene.idempotencyRow();
      await scene.stores.idempotency.begin(begun);
      const claim = await scene.claimedRun();
      const row = { ...begun, runId: claim.runId };

      await scene.stores.runs.append(anAppend(claim, { also: [{ kind: 'idempotency', row }] }));

      expect(await scene.stores.idempotency.find(row, row.createdAt)).toEqual(row);
    });

    it('settles a reservation once', async () => {
      const claim = await scene.claimedRun();
      const row = { reservationId: 'r', namespace: 'default', scope: 'run', costMicros: 1, at: 1 };
      const also = [{ kind: 'settlement', row } as const];

      await scene.stores.runs.append(anAppend(claim, { also }));
      const again = await scene.stores.runs.append(anAppend(claim, { expectedSeq: 2, also }));

      expect(again.outcome).toBe('appended');
      expect(await scene.stores.count('settlement')).toBe(1);
    });

    it('deletes the inbox rows that it consumed and keeps the others', async () => {
      const claim = await scene.claimedRun();
      for (const reason of ['a', 'b', 'c']) await scene.putCancel(claim.runId, reason);
      const { rows } = await scene.stores.inbox.pending(claim.runId);
      const consumedInbox = rows.filter((_, index) => index !== 1).map(({ id }) => id);

      const result = await scene.stores.runs.append(anAppend(claim, { consumedInbox }));

      expect(result).toEqual({ outcome: 'appended', inboxSeq: 3 });
      expect(await scene.stores.inbox.pending(claim.runId)).toEqual({ rows: [rows[1]], inboxSeq: 3 });
    });

    it('consumes no inbox row of another run', async () => {
      const other = await scene.claimedRun();
      await scene.putCancel(other.runId);
      const { rows } = await scene.stores.inbox.pending(other.runId);
      const claim = await scene.claimedRun();

      await scene.stores.runs.append(anAppend(claim, { consumedInbox: rows.map(({ id }) => id) }));

      expect((await scene.stores.inbox.pending(other.runId)).rows).toEqual(rows);
    });

    it('stores wakeAt as given when nothing waits in the inbox', async () => {
      const claim = await scene.claimedRun();
      await scene.putCancel(claim.runId);
      const { rows } = await scene.stores.inbox.pending(claim.runId);
      const consumedInbox = rows.map(({ id }) => id);
      const wakeAt = (await scene.stores.now()) + 90_000;

      await scene.stores.runs.append(anAppend(claim, { consumedInbox, summary: aSummary({ wakeAt }) }));
      expect((await scene.row(claim.runId)).summary.wakeAt).toBe(wakeAt);

      await scene.stores.runs.append(anAppend(claim, { expectedSeq: 2, summary: anIdleSummary() }));
      expect((await scene.row(claim.runId)).summary.wakeAt).toBeUndefined();
    });

    it.each([
      ['none', anIdleSummary()],
      ['a later one', anIdleSummary({ wakeAt: 4_000_000_000_000 })],
    ])('keeps a run due whose inbox it did not empty, when wakeAt is %s', async (_, summary) => {
      const ownerId = await scene.owner();
      const claim = await scene.claimedRun(ownerId);
      await scene.putCancel(claim.runId);

      await scene.stores.runs.append(anAppend(claim, { summary }));

      expect((await scene.stores.lease.renew(ownerId, 1_000)).attention).toEqual([claim.runId]);
    });

    it('keeps an earlier wakeAt of a run whose inbox it did not empty', async () => {
      const claim = await scene.claimedRun();
      await scene.putCancel(claim.runId);
      const wakeAt = (await scene.stores.now()) - 30_000;

      await scene.stores.runs.append(anAppend(claim, { summary: aSummary({ wakeAt }) }));

      expect((await scene.row(claim.runId)).summary.wakeAt).toBe(wakeAt);
    });

    it('gives the claim up when the summary has endedAt', async () => {
      const claim = await scene.claimedRun();
      const summary = anIdleSummary({ status: 'completed', endedAt: 1_700_000_000_500 });

      await scene.stores.runs.append(anAppend(claim, { summary }));

      const row = await scene.row(claim.runId);
      expect(row).toMatchObject({ epoch: 1, summary });
      expect(row.ownerId).toBeUndefined();
      expect(await scene.dueIds()).toEqual([]);
    });

    it('leaves an ended run due when something came in that it did not record', async () => {
      const claim = await scene.claimedRun();
      await scene.putCancel(claim.runId);

      await scene.stores.runs.append(
        anAppend(claim, { summary: anIdleSummary({ status: 'failed', endedAt: 1_700_000_000_500 }) }),
      );

      expect(await scene.dueIds()).toEqual([claim.runId]);
    });

    it('accepts what an owner offers whose lease has run out, as long as the epoch holds', async () => {
      const ownerId = await scene.owner();
      const claim = await scene.claimedRun(ownerId);
      await scene.stores.lease.retire({ ownerId });

      const result = await scene.stores.runs.append(anAppend(claim, { summary: anIdleSummary() }));

      expect(result.outcome).toBe('appended');
      expect(await scene.dueIds()).toEqual([claim.runId]);
    });

    it('refuses the former owner once another has claimed the run', async () => {
      const ownerId = await scene.owner();
      const old = await scene.claimedRun(ownerId);
      await scene.stores.lease.retire({ ownerId });
      const claim = await scene.claim(old.runId, await scene.owner());

      expect(await scene.stores.runs.append(anAppend(old))).toEqual({ outcome: 'refused' });
      expect(await scene.stores.runs.append(anAppend(claim))).toMatchObject({ outcome: 'appended' });
    });
  });
}
