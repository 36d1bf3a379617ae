import type { InboxEntry } from '../../src/runs/run.inbox.js';
import { aRunId, anAppend, anIdleSummary } from '../support/a-run.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `RunInbox` promises. */
export function runInboxContract(engine: RecordEngine): void {
  describe(`RunInbox on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const entryFor = (runId: string, fields: Partial<InboxEntry> = {}): InboxEntry => ({
      namespace: 'default',
      runId,
      command: { type: 'pause', by: 'key_1', reason: 'lunch' },
      at: 1_700_000_000_001,
      ...fields,
    });

    describe('put', () => {
      it('keeps rows in the order in which they came', async () => {
        const { id } = await scene.freeRun();
        const entries = [
          entryFor(id),
          entryFor(id, { command: { type: 'resume' } }),
          entryFor(id, { command: { type: 'cancel', reason: '🎵 \u0000 \ud800 "\'' }, at: 0 }),
        ];
        for (const entry of entries) expect(await scene.stores.inbox.put(entry)).toBe(true);

        const { rows, inboxSeq } = await scene.stores.inbox.pending(id);

        expect(rows.map(({ id: rowId, ...entry }) => [typeof rowId, entry])).toEqual(
          entries.map((entry) => ['number', entry]),
        );
        expect(rows.map((row) => row.id)).toEqual(rows.map((row) => row.id).toSorted((a, b) => a - b));
        expect(inboxSeq).toBe(3);
      });

      it('makes a sleeping run due', async () => {
        const run = await scene.freeRun({ summary: anIdleSummary() });
        expect(await scene.dueIds()).toEqual([]);

        await scene.stores.inbox.put(entryFor(run.id));

        expect(await scene.dueIds()).toEqual([run.id]);
      });

      it('leaves the claim of an owned run as it is', async () => {
        const claim = await scene.claimedRun();

        await scene.stores.inbox.put(entryFor(claim.runId));

        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId, epoch: 1, lastSeq: 1 });
      });

      it('says when there is no such run in the namespace', async () => {
        const { id } = await scene.freeRun({ summary: anIdleSummary() });

        expect(await scene.stores.inbox.put(entryFor(aRunId()))).toBe(false);
        expect(await scene.stores.inbox.put(entryFor(id, { namespace: 'other' }))).toBe(false);

        expect(await scene.stores.inbox.pending(id)).toEqual({ rows: [], inboxSeq: 0 });
        expect(await scene.dueIds()).toEqual([]);
      });

      it('counts every one of many rows at the same time', async () => {
        const { id } = await scene.freeRun();

        await Promise.all(
          Array.from({ length: 30 }, (_, at) => scene.stores.inbox.put(entryFor(id, { at }))),
        );

        const { rows, inboxSeq } = await scene.stores.inbox.pending(id);
        expect(inboxSeq).toBe(30);
        expect(rows.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 30 }, (_, at) => at),
        );
      });

      it('tells the owner of what came in by the answer to its next append', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.inbox.put(entryFor(claim.runId));

        expect(await scene.stores.runs.append(anAppend(claim))).toEqual({ outcome: 'appended', inboxSeq: 1 });
      });
    });

    describe('pending', () => {
      it('is empty for a run that nobody wrote to, and for an unknown one', async () => {
        const { id } = await scene.freeRun();

        expect(await scene.stores.inbox.pending(id)).toEqual({ rows: [], inboxSeq: 0 });
        expect(await scene.stores.inbox.pending(aRunId())).toEqual({ rows: [], inboxSeq: 0 });
      });

      it('holds the rows of one run only', async () => {
        const [first, second] = [await scene.freeRun(), await scene.freeRun()];
        await scene.stores.inbox.put(entryFor(first.id));

        expect((await scene.stores.inbox.pending(second.id)).rows).toEqual([]);
      });
    });

    describe('discard', () => {
      it('deletes the rows named and nothing else', async () => {
        const claim = await scene.claimedRun();
        const other = await scene.freeRun();
        for (const runId of [claim.runId, claim.runId, other.id])
          await scene.stores.inbox.put(entryFor(runId));
        const [first, second] = (await scene.stores.inbox.pending(claim.runId)).rows;
        const [foreign] = (await scene.stores.inbox.pending(other.id)).rows;

        await scene.stores.inbox.discard(claim, [first?.id ?? 0, foreign?.id ?? 0]);

        expect(await scene.stores.inbox.pending(claim.runId)).toEqual({ rows: [second], inboxSeq: 2 });
        expect((await scene.stores.inbox.pending(other.id)).rows).toEqual([foreign]);
      });

      it('lets an emptied run sleep after its next append', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.inbox.put(entryFor(claim.runId));
        const { rows } = await scene.stores.inbox.pending(claim.runId);

        await scene.stores.inbox.discard(
          claim,
          rows.map(({ id }) => id),
        );
        await scene.stores.runs.append(anAppend(claim, { summary: anIdleSummary() }));

        expect((await scene.row(claim.runId)).summary.wakeAt).toBeUndefined();
      });

      it('does nothing when the claim is lost', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.inbox.put(entryFor(claim.runId));
        const { rows } = await scene.stores.inbox.pending(claim.runId);
        const ids = rows.map(({ id }) => id);

        await scene.stores.inbox.discard({ ...claim, epoch: 2 }, ids);
        await scene.stores.inbox.discard({ ...claim, ownerId: 'own_x' }, ids);

        expect((await scene.stores.inbox.pending(claim.runId)).rows).toEqual(rows);
      });
    });
  });
}
