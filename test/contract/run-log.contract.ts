import type { LogEntry, LogPage } from '../../src/runs/run.log.js';
import { aRun, anAppend, anEvent } from '../support/a-run.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `RunLog` promises. */
export function runLogContract(engine: RecordEngine): void {
  describe(`RunLog on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const readAfter = async (cursor: string, limit: number): Promise<LogPage> => {
      await scene.settle();
      return scene.stores.log.readAfter(cursor, limit);
    };

    const head = async (): Promise<string> => {
      await scene.settle();
      return scene.stores.log.head();
    };

    const readToEnd = async (cursor: string, limit: number): Promise<readonly LogEntry[]> => {
      const entries: LogEntry[] = [];
      for (let page = await readAfter(cursor, limit); page.entries.length > 0;) {
        entries.push(...page.entries);
        page = await readAfter(page.cursor, limit);
      }
      return entries;
    };

    const namesOf = (entries: readonly LogEntry[]): readonly string[] =>
      entries.map(({ event }) => `${event.event.runId}:${event.event.seq}`);

    describe('readAfter', () => {
      it('gives nothing, and the cursor that it got, in an empty record', async () => {
        expect(await readAfter('', 10)).toEqual({ entries: [], cursor: '', more: false });
      });

      it('gives events of all runs and namespaces as they were written', async () => {
        const first = await scene.freeRun({ namespace: 'other' });
        const claim = await scene.claimedRun();
        const append = anAppend(claim, { count: 2 });
        await scene.stores.runs.append(append);

        const { entries } = await readAfter('', 100);

        expect(entries.map(({ namespace, event }) => [namespace, event.text])).toEqual([
          ['other', first.events[0]?.text],
          ['default', (await scene.texts(claim.runId))[0]],
          ...append.events.map(({ text }) => ['default', text]),
        ]);
      });

      it('includes the first events of runs that came to be beside another write', async () => {
        const child = aRun();
        const also = [{ kind: 'run', run: child } as const];
        await scene.stores.runs.create({ run: aRun(), also });

        expect(namesOf(await readToEnd('', 10))).toContain(`${child.id}:1`);
      });

      it.each([1, 2, 3, 7, 50, 1_000])('leads to the end in pages of about %i', async (limit) => {
        const expected: string[] = [];
        for (let run = 0; run < 5; run += 1) {
          const claim = await scene.claimedRun();
          await scene.stores.runs.append(anAppend(claim, { count: 1 + run * 2 }));
          expected.push(...Array.from({ length: 2 + run * 2 }, (_, index) => `${claim.runId}:${index + 1}`));
        }

        expect(namesOf(await readToEnd('', limit))).toEqual(expected);
      });

      it('cuts no append in two, and begins none once the limit is reached', async () => {
        const claim = await scene.claimedRun();
        for (const expectedSeq of [1, 4, 7]) {
          await scene.stores.runs.append(anAppend(claim, { expectedSeq, count: 3 }));
        }

        const { entries, cursor } = await readAfter('', 2);

        expect(entries.map(({ event }) => event.event.seq)).toEqual([1, 2, 3, 4]);
        const next = await readAfter(cursor, 1);
        expect(next.entries.map(({ event }) => event.event.seq)).toEqual([5, 6, 7]);
      });

      it('leads through events that are so long that a page holds few of them', async () => {
        const claim = await scene.claimedRun();
        for (const expectedSeq of [1, 2, 3, 4]) {
          const event = anEvent(claim.runId, expectedSeq + 1, 'x'.repeat(2 * 1_048_576));
          await scene.stores.runs.append(anAppend(claim, { expectedSeq, events: [event] }));
        }

        const seen: number[] = [];
        for (let cursor = '', more = true; more;) {
          const page = await readAfter(cursor, 1_000);
          seen.push(...page.entries.map(({ event }) => event.head.seq));
          ({ cursor, more } = page);
        }
        expect(seen).toEqual([1, 2, 3, 4, 5]);
      });

      it('says whether there may be more', async () => {
        for (let run = 0; run < 3; run += 1) await scene.freeRun();
        expect(await readAfter('', 2)).toMatchObject({ more: true });
        expect(await readAfter('', 4)).toMatchObject({ more: false });
      });

      it('gives the same again after the same cursor', async () => {
        const claim = await scene.claimedRun();
        const { cursor } = await readAfter('', 1);
        await scene.stores.runs.append(anAppend(claim));
        const first = await readAfter(cursor, 10);
        await scene.freeRun();

        const again = await readAfter(cursor, 1);

        expect(namesOf(again.entries)).toEqual(namesOf(first.entries));
        expect(again.cursor).toBe(first.cursor);
      });

      it('answers the cursor given when nothing is new', async () => {
        await scene.freeRun();
        const { cursor } = await readAfter('', 10);

        expect(await readAfter(cursor, 10)).toEqual({ entries: [], cursor, more: false });
      });

      it('misses nothing and repeats nothing while many runs write at once', async () => {
        const ownerId = await scene.owner();
        const claims = await Promise.all(Array.from({ length: 10 }, () => scene.claimedRun(ownerId)));
        const writers = claims.map(async (claim) => {
          for (let expectedSeq = 1; expectedSeq <= 20; expectedSeq += 1) {
            await scene.stores.runs.append(anAppend(claim, { expectedSeq }));
          }
        });
        const entries: LogEntry[] = [];
        let cursor = '';
        const follow = async (): Promise<void> => {
          const page = await scene.stores.log.readAfter(cursor, 7);
          entries.push(...page.entries);
          cursor = page.cursor;
        };
        const written = Promise.all(writers);
        const progress = { isOver: false };
        void written.then(() => (progress.isOver = true));
        while (!progress.isOver) await follow();
        await written;
        entries.push(...(await readToEnd(cursor, 7)));

        for (const { runId } of claims) {
          const seqs = entries.filter(({ event }) => event.event.runId === runId);
          expect(seqs.map(({ event }) => event.event.seq)).toEqual(
            Array.from({ length: 21 }, (_, index) => index + 1),
          );
        }
      });
    });

    describe('head', () => {
      it('leaves out what was written before, and nothing of what comes after', async () => {
        const claim = await scene.claimedRun();
        const start = await head();
        await scene.stores.runs.append(anAppend(claim));

        expect(namesOf(await readToEnd(start, 10))).toEqual([`${claim.runId}:2`]);
      });

      it('of an empty record leaves out nothing', async () => {
        const start = await head();
        const run = await scene.freeRun();

        expect(namesOf(await readToEnd(start, 10))).toEqual([`${run.id}:1`]);
      });
    });

    describe('changedAfter', () => {
      it('names each run that was appended to behind the cursor, the latest first', async () => {
        const [first, second] = [await scene.claimedRun(), await scene.claimedRun()];
        await scene.freeRun();
        const start = await head();
        for (const expectedSeq of [1, 2]) await scene.stores.runs.append(anAppend(first, { expectedSeq }));
        const foreign = await scene.freeRun({ namespace: 'other' });
        await scene.stores.runs.append(anAppend(second));

        const { runs } = await scene.stores.log.changedAfter(start, 10);

        expect(runs).toEqual([
          { runId: second.runId, namespace: 'default' },
          { runId: foreign.id, namespace: 'other' },
          { runId: first.runId, namespace: 'default' },
        ]);
        expect((await scene.stores.log.changedAfter(start, 1)).runs).toEqual(runs.slice(0, 1));
      });

      it('leads to what comes later, and misses nothing of it', async () => {
        await scene.freeRun();
        const { cursor } = await scene.stores.log.changedAfter(await head(), 10);
        const later = await scene.freeRun();

        const { runs } = await scene.stores.log.changedAfter(cursor, 10);

        expect(runs).toContainEqual({ runId: later.id, namespace: 'default' });
      });

      it('begins at the beginning without a cursor', async () => {
        const { id: runId } = await scene.freeRun();

        const { runs } = await scene.stores.log.changedAfter('', 10);

        expect(runs).toEqual([{ runId, namespace: 'default' }]);
      });
    });
  });
}
