import { createHash } from 'node:crypto';

import { approvalIdOf } from '../../src/runs/domain/approval.js';
import type { Purge, PurgedRun, PurgeResult } from '../../src/runs/retention.store.js';
import { runItemOf } from '../../src/runs/run-item.js';
import type { RunRow } from '../../src/runs/run.catalogue.js';
import type { AlsoRow, NewRun } from '../../src/runs/run.store.js';
import { anAppend, anIdleSummary, aRun, CREATED_AT } from '../support/a-run.js';
import { aTask } from '../support/a-task.js';
import { useRecord, type RecordEngine } from './record-scene.js';

const END = CREATED_AT + 1_000;

/** What every `RetentionStore` promises. */
export function retentionStoreContract(engine: RecordEngine): void {
  describe(`RetentionStore on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const retention = (): typeof scene.stores.retention => scene.stores.retention;

    const ended = async (fields: Partial<NewRun> = {}, endedAt = END): Promise<RunRow> => {
      const run = await scene.freeRun({
        ...fields,
        summary: anIdleSummary({ status: 'completed', endedAt, costMicros: 5 }),
      });
      return scene.row(run.id, run.namespace);
    };

    const lastOf = (run: RunRow): PurgedRun => {
      const { links: _, ...item } = runItemOf(run);
      return { ...item, purgedAt: '2026-01-01T00:00:00.000Z' };
    };

    const purge = (run: RunRow, more: Partial<Purge> = {}): Promise<PurgeResult> =>
      retention().purge({ run, last: lastOf(run), cursors: [], at: END + 5, blobsAt: END + 9, ...more });

    const dueIds = async (endedBefore: number, limit = 100): Promise<readonly string[]> =>
      (await retention().due(endedBefore, limit)).runs.map(({ run }) => run.id);

    describe('due', () => {
      it('lists runs that ended before a time, the oldest end first, and says when the next one ended', async () => {
        const [late, early, fresh] = [
          await ended({}, END + 2),
          await ended({}, END),
          await ended({}, END + 3),
        ];
        await scene.freeRun();
        await scene.claimedRun();

        const due = await retention().due(END + 3, 100);
        expect(due.runs).toEqual([
          { run: early, endedAt: END, isTold: false },
          { run: late, endedAt: END + 2, isTold: false },
        ]);
        expect(due.nextEndAt).toBe(END + 3);
        expect((await retention().due(END + 4, 100)).nextEndAt).toBeUndefined();
        expect(await dueIds(END + 4)).toEqual([early.id, late.id, fresh.id]);
      });

      it('goes on after a place, also among runs that ended at the same time', async () => {
        const runs = [await ended(), await ended(), await ended(), await ended({}, END + 1)];
        const seen: string[] = [];
        for (let after: { endedAt: number; runId: string } | undefined; ;) {
          const { runs: page } = await retention().due(END + 9, 1, after);
          const [last] = page;
          if (last === undefined) break;
          after = { endedAt: last.endedAt, runId: last.run.id };
          seen.push(last.run.id);
        }

        expect(seen).toEqual(runs.map(({ id }) => id));
      });

      it('leaves out a run as long as the one that started it is there', async () => {
        const parent = await ended({}, END + 5);
        const child = await ended({ parentId: parent.id });
        expect(await dueIds(END + 9)).toEqual([parent.id]);
        expect(await purge(child)).toBe('nested');

        expect(await retention().endedChildren({ namespace: 'default', runId: parent.id }, 9)).toEqual([
          child,
        ]);
        expect(await purge(parent)).toBe('purged');
        expect(await dueIds(END + 9)).toEqual([child.id]);
        expect(await purge(child)).toBe('purged');
      });
    });

    describe('purge', () => {
      it('deletes everything that is of the run alone, and nothing of another', async () => {
        const { stores } = scene;
        const content = Uint8Array.from([1, 2, 3]);
        const hash = createHash('sha256').update(content).digest('hex');
        const at = await stores.now();
        const whole = async (): Promise<RunRow> => {
          const claim = await scene.claimedRun(undefined, { tags: ['a', 'b'] });
          const { runId } = claim;
          const also: readonly AlsoRow[] = [
            { kind: 'blob', use: { namespace: 'default', runId, hash, content, at: 1 } },
            { kind: 'idempotency', row: await scene.idempotencyRow({ key: runId, runId }) },
            {
              kind: 'approval',
              row: {
                ...{ id: approvalIdOf(runId, 2), namespace: 'default', runId, path: 'p', requestedAt: at },
                asked: { assignees: ['ada'], onReject: 'fail' },
              },
            },
          ];
          await stores.tasks.create(aTask({ runId, lineage: runId }));
          await stores.runs.saveCheckpoint(runId, { seq: 1, foldVersion: 1, state: '{}' });
          const summary = anIdleSummary({ status: 'completed', endedAt: END });
          await stores.runs.append(anAppend(claim, { also, summary }));
          await scene.putCancel(runId);
          return scene.row(runId);
        };
        const [run, other] = [await whole(), await whole()];
        expect(await left(run)).toEqual(EVERYTHING);

        expect(await purge(run)).toBe('purged');

        expect(await left(run)).toEqual({ ...NOTHING, blob: true });
        expect(await left(other)).toEqual(EVERYTHING);
        await stores.blobs.release('default', run.id, END + 90_000_000);
        expect(await stores.blobs.find('default', hash)).toBeDefined();
        expect(await purge(other)).toBe('purged');
        await stores.blobs.release('default', other.id, END + 90_000_000);
        expect(await stores.blobs.find('default', hash)).toBeUndefined();
      });

      it('refuses a run that is not there, has not ended, is of another namespace or has changed', async () => {
        const { stores } = scene;
        const run = await ended();
        const open = await scene.freeRun();
        const claim = await scene.claimedRun();

        expect(await purge(await scene.row(open.id))).toBe('changed');
        expect(await purge(await scene.row(claim.runId))).toBe('changed');
        expect(await purge({ ...run, namespace: 'other' })).toBe('changed');
        expect(await purge({ ...run, lastSeq: run.lastSeq - 1 })).toBe('changed');
        expect(await scene.texts(run.id)).toHaveLength(1);
        expect(await retention().findPurged('default', run.id)).toBeUndefined();
        expect(await purge(run)).toBe('purged');
        expect(await purge(run)).toBe('changed');
        expect(await stores.runs.read('default', run.id, { afterSeq: 0, limit: 9 })).toBeUndefined();
      });

      it('waits for everybody who follows the log', async () => {
        const { log } = scene.stores;
        const run = await ended();
        const behind = '';
        const reached = async (): Promise<string> => {
          for (let cursor = ''; ;) {
            const page = await log.readAfter(cursor, 100);
            if (page.entries.some(({ event }) => event.event.runId === run.id)) return page.cursor;
            if (page.cursor === cursor && engine.name !== 'PostgreSQL') throw new Error('never read');
            cursor = page.cursor;
          }
        };
        const cursor = await reached();

        expect(await purge(run, { cursors: [cursor, behind] })).toBe('unread');
        expect(await scene.texts(run.id)).toHaveLength(1);
        expect(await purge(run, { cursors: [cursor, cursor] })).toBe('purged');
      });

      it('leaves the log of others as it was for who reads it, and the pages of lists', async () => {
        const { stores } = scene;
        const runs = [await ended(), await ended(), await ended(), await ended()];
        const first = await stores.catalogue.list('default', {}, { limit: 2 });
        expect(first.items.map(({ id }) => id)).toEqual([runs[3]?.id, runs[2]?.id]);

        for (const index of [2, 1]) expect(await purge(runs[index] as RunRow)).toBe('purged');

        const cursor = first.nextCursor ?? '';
        const second = await stores.catalogue.list('default', {}, { limit: 2, cursor });
        expect(second.items.map(({ id }) => id)).toEqual([runs[0]?.id]);
        expect(await stores.catalogue.counts()).toEqual({ completed: 2 });
        expect(await scene.texts(runs[0]?.id ?? '')).toHaveLength(1);
      });

      it('happens once for callers at the same time', async () => {
        const run = await ended();
        const results = await Promise.all(Array.from({ length: 8 }, () => purge(run)));

        expect(results.filter((result) => result === 'purged')).toHaveLength(1);
      });
    });

    describe('what is remembered', () => {
      it('is the last that was known of a run, for a while', async () => {
        const [run, later] = [await ended(), await ended()];
        await purge(run);
        await purge(later, { at: END + 50 });

        expect(await retention().findPurged('default', run.id)).toEqual(lastOf(run));
        expect(await retention().findPurged('other', run.id)).toBeUndefined();
        expect(await retention().next()).toEqual({ purgedAt: END + 5 });
        expect(await retention().forget(END + 5, 9)).toBe(0);
        expect(await retention().forget(END + 6, 9)).toBe(1);
        expect(await retention().findPurged('default', run.id)).toBeUndefined();
        expect(await retention().next()).toEqual({ purgedAt: END + 50 });
      });

      it('is when the blobs of a run may go, until they are gone', async () => {
        const content = Uint8Array.from([4]);
        const run = aRun({ summary: anIdleSummary({ status: 'completed', endedAt: END }) });
        const use = { namespace: 'default', runId: run.id, hash: 'h', content, at: 1 };
        await scene.stores.runs.create({ run, also: [{ kind: 'blob', use }] });
        await purge(await scene.row(run.id));
        const name = { namespace: 'default', runId: run.id };

        expect(await retention().next()).toEqual({ purgedAt: END + 5, blobsAt: END + 9 });
        expect(await retention().blobsDue(END + 8, 9)).toEqual([]);
        expect(await retention().blobsDue(END + 9, 9)).toEqual([name]);
        expect(await retention().forget(END + 99, 9)).toBe(0);
        await retention().blobsGone(name);
        expect(await retention().blobsDue(END + 9, 9)).toEqual([]);
        expect(await retention().forget(END + 99, 9)).toBe(1);
      });
    });

    const EVERYTHING = {
      ...{ row: true, log: 2, tagged: 2, inbox: 1, checkpoint: true },
      ...{ task: true, approval: true, assigned: true, key: true, blob: true },
    };
    const NOTHING = {
      ...{ row: false, log: 0, tagged: 0, inbox: 0, checkpoint: false },
      ...{ task: false, approval: false, assigned: false, key: false, blob: false },
    };

    /** What there is of a run. */
    async function left({ id: runId }: RunRow): Promise<typeof EVERYTHING> {
      const { catalogue, runs, inbox, tasks, approvals, idempotency, blobs } = scene.stores;
      const approvalId = approvalIdOf(runId, 2);
      const tagged = await Promise.all(
        ['a', 'b'].map(async (tag) => (await catalogue.list('default', { tag }, { limit: 99 })).items),
      );
      const assigned = await approvals.list('default', { assignee: 'ada' }, { limit: 99 });
      const key = await scene.idempotencyRow({ key: runId });
      return {
        row: (await catalogue.find('default', runId)) !== undefined,
        log: (await scene.texts(runId)).length,
        tagged: tagged.flat().filter(({ id }) => id === runId).length,
        inbox: (await inbox.pending(runId)).rows.length,
        checkpoint: (await runs.findCheckpoint(runId, 1)) !== undefined,
        task: (await tasks.openOf('default', runId)).length > 0,
        approval: (await approvals.find('default', approvalId)) !== undefined,
        assigned: assigned.items.some(({ id }) => id === approvalId),
        key: (await idempotency.find(key, key.createdAt)) !== undefined,
        blob: (await blobs.findOfRun('default', runId, blobHash())) !== undefined,
      };
    }
  });
}

function blobHash(): string {
  return createHash('sha256')
    .update(Uint8Array.from([1, 2, 3]))
    .digest('hex');
}
