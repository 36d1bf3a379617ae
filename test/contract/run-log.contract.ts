import type { LogEntry, LogPage } from '../../src/runs/run.log.js';
import { aRun, anAppend } from '../support/a-run.js';
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
        expect(await readAfter('', 10)).toEqual({ entries: [], cursor: '' });
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

        expect(await readAfter(cursor, 10)).toEqual({ entries: [], cursor });
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
  });
}
