import type { Checkpoint } from '../../src/runs/run.store.js';
import { aRunId, anAppend } from '../support/a-run.js';
import { useRecord, type RecordEngine } from './record-scene.js';
import { appendContract } from './run-store-append.contract.js';
import { createContract } from './run-store-create.contract.js';

/** What every `RunStore` promises. */
export function runStoreContract(engine: RecordEngine): void {
  describe(`RunStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    createContract(scene);
    appendContract(scene);

    describe('findAppend', () => {
      it('finds an append by the sequence before it and its id', async () => {
        const claim = await scene.claimedRun();
        const append = anAppend(claim, { count: 2 });
        expect(await scene.stores.runs.findAppend(claim.runId, 1, append.appendId)).toBe(false);

        await scene.stores.runs.append(append);

        expect(await scene.stores.runs.findAppend(claim.runId, 1, append.appendId)).toBe(true);
        expect(await scene.stores.runs.findAppend(claim.runId, 1, 'apd_other')).toBe(false);
        expect(await scene.stores.runs.findAppend(claim.runId, 0, append.appendId)).toBe(false);
        expect(await scene.stores.runs.findAppend(claim.runId, 3, append.appendId)).toBe(false);
        expect(await scene.stores.runs.findAppend(aRunId(), 1, append.appendId)).toBe(false);
      });

      it('finds an append that was sent twice, the second of which was refused', async () => {
        const claim = await scene.claimedRun();
        const append = anAppend(claim);
        await scene.stores.runs.append(append);

        expect(await scene.stores.runs.append(append)).toEqual({ outcome: 'refused' });

        expect(await scene.stores.runs.findAppend(claim.runId, 1, append.appendId)).toBe(true);
        expect(await scene.texts(claim.runId)).toHaveLength(2);
      });
    });

    describe('read', () => {
      it.each([
        { afterSeq: 0, limit: 100, seqs: [1, 2, 3, 4, 5], more: false },
        { afterSeq: 0, limit: 2, seqs: [1, 2], more: true },
        { afterSeq: 2, limit: 2, seqs: [3, 4], more: true },
        { afterSeq: 2, limit: 3, seqs: [3, 4, 5], more: false },
        { afterSeq: 4, limit: 1, seqs: [5], more: false },
        { afterSeq: 5, limit: 10, seqs: [], more: false },
        { afterSeq: 9, limit: 10, seqs: [], more: false },
      ])(
        'answers events $seqs after $afterSeq with limit $limit',
        async ({ afterSeq, limit, seqs, more }) => {
          const claim = await scene.claimedRun();
          await scene.stores.runs.append(anAppend(claim, { count: 3 }));
          await scene.stores.runs.append(anAppend(claim, { expectedSeq: 4 }));

          const page = await scene.stores.runs.read('default', claim.runId, { afterSeq, limit });

          expect(page?.events.map(({ event }) => event.seq)).toEqual(seqs);
          expect(page).toMatchObject({ lastSeq: 5, more });
        },
      );

      it('answers nothing for an unknown run and for one of another namespace', async () => {
        const run = await scene.freeRun();
        const range = { afterSeq: 0, limit: 10 };

        expect(await scene.stores.runs.read('default', aRunId(), range)).toBeUndefined();
        expect(await scene.stores.runs.read('other', run.id, range)).toBeUndefined();
      });

      it('gives a whole log of 1,000 events in pages', async () => {
        const claim = await scene.claimedRun();
        await scene.stores.runs.append(anAppend(claim, { count: 999 }));
        const seqs: number[] = [];
        for (let more = true; more;) {
          const range = { afterSeq: seqs.length, limit: 300 };
          const page = await scene.stores.runs.read('default', claim.runId, range);
          seqs.push(...(page?.events ?? []).map(({ event }) => event.seq));
          more = page?.more ?? false;
        }

        expect(seqs).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
      });
    });

    describe('checkpoints', () => {
      const checkpoint: Checkpoint = { seq: 10, foldVersion: 1, state: '{"a":"🎵\\u0000"}' };

      it('are absent before one is saved', async () => {
        const run = await scene.freeRun();

        expect(await scene.stores.runs.findCheckpoint(run.id, 1)).toBeUndefined();
      });

      it.each([
        ['a newer one', { ...checkpoint, seq: 11, state: 'new' }, 'new'],
        ['an older one', { ...checkpoint, seq: 9, state: 'old' }, checkpoint.state],
        ['one of the same event', { ...checkpoint, state: 'again' }, 'again'],
      ])('keep the newest when %s is saved', async (_, second, state) => {
        const run = await scene.freeRun();
        await scene.stores.runs.saveCheckpoint(run.id, checkpoint);
        await scene.stores.runs.saveCheckpoint(run.id, second);

        expect((await scene.stores.runs.findCheckpoint(run.id, 1))?.state).toBe(state);
      });

      it('are given back as they were saved', async () => {
        const run = await scene.freeRun();
        await scene.stores.runs.saveCheckpoint(run.id, checkpoint);

        expect(await scene.stores.runs.findCheckpoint(run.id, 1)).toEqual(checkpoint);
      });

      it('of another fold version are ignored', async () => {
        const run = await scene.freeRun();
        await scene.stores.runs.saveCheckpoint(run.id, checkpoint);

        expect(await scene.stores.runs.findCheckpoint(run.id, 2)).toBeUndefined();
      });

      it('of another run are not found', async () => {
        const run = await scene.freeRun();
        await scene.stores.runs.saveCheckpoint(run.id, checkpoint);
        const other = await scene.freeRun();

        expect(await scene.stores.runs.findCheckpoint(other.id, 1)).toBeUndefined();
      });
    });
  });
}
