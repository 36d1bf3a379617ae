import type { RunFilter } from '../../src/runs/run.catalogue.js';
import type { NewRun } from '../../src/runs/run.store.js';
import { aRun, aRunId, aSummary, anAppend, anIdleSummary, CREATED_AT } from '../support/a-run.js';
import type { RunSummary } from '../../src/runs/domain/summary.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `RunCatalogue` promises. */
export function runCatalogueContract(engine: RecordEngine): void {
  describe(`RunCatalogue on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const listIds = async (filter: RunFilter = {}, limit = 50): Promise<readonly string[]> => {
      const page = await scene.stores.catalogue.list('default', filter, { limit });
      return page.items.map(({ id }) => id);
    };

    /** Ids of all pages, one after the other. */
    const pageThrough = async (
      filter: RunFilter,
      limit: number,
      between?: () => Promise<unknown>,
    ): Promise<readonly string[]> => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const request = cursor === undefined ? { limit } : { limit, cursor };
        const page = await scene.stores.catalogue.list('default', filter, request);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        await between?.();
      } while (cursor !== undefined);
      return seen;
    };

    describe('find', () => {
      it('gives what the row says, and nothing of the log', async () => {
        const run = await scene.freeRun({ name: 'canary' });

        const row = await scene.row(run.id);

        expect(row).toMatchObject({ id: run.id, name: 'canary', lastSeq: 1, epoch: 0, summary: run.summary });
        expect(row).not.toHaveProperty('events');
        expect(row).not.toHaveProperty('appendId');
        expect(row).not.toHaveProperty('ownerId');
      });

      it('names the owner of a run that is claimed', async () => {
        const claim = await scene.claimedRun();

        expect(await scene.row(claim.runId)).toMatchObject({ ownerId: claim.ownerId, epoch: 1 });
      });

      it('finds no run of another namespace, and none that does not exist', async () => {
        const { id } = await scene.freeRun();

        expect(await scene.stores.catalogue.find('other', id)).toBeUndefined();
        expect(await scene.stores.catalogue.find('default', aRunId())).toBeUndefined();
      });
    });

    describe('findMany', () => {
      it('finds those that exist in the namespace', async () => {
        const first = await scene.freeRun();
        const second = await scene.freeRun();
        await scene.freeRun();

        const rows = await scene.stores.catalogue.findMany('default', [second.id, aRunId(), first.id]);

        expect(rows.map(({ id }) => id).toSorted()).toEqual([first.id, second.id].toSorted());
        expect(await scene.stores.catalogue.findMany('other', [first.id])).toEqual([]);
        expect(await scene.stores.catalogue.findMany('default', [])).toEqual([]);
      });
    });

    describe('findAhead', () => {
      it('names the runs whose log goes on past where a reader is', async () => {
        const [behind, level, ahead] = [
          await scene.claimedRun(),
          await scene.freeRun(),
          await scene.freeRun(),
        ];
        await scene.stores.runs.append(anAppend(behind, { count: 3 }));
        const foreign = await scene.freeRun({ namespace: 'other' });

        const heads = await scene.stores.catalogue.findAhead([
          { runId: behind.runId, seq: 2 },
          { runId: level.id, seq: 1 },
          { runId: ahead.id, seq: 7 },
          { runId: foreign.id, seq: 0 },
          { runId: aRunId(), seq: 0 },
        ]);

        expect(heads.toSorted((a, b) => b.lastSeq - a.lastSeq)).toEqual([
          { runId: behind.runId, namespace: 'default', lastSeq: 4 },
          { runId: foreign.id, namespace: 'other', lastSeq: 1 },
        ]);
      });

      it('finds nothing for nobody', async () => {
        await scene.freeRun();

        expect(await scene.stores.catalogue.findAhead([])).toEqual([]);
      });
    });

    describe('list', () => {
      it('is empty in an empty record', async () => {
        expect(await scene.stores.catalogue.list('default', {}, { limit: 10 })).toEqual({ items: [] });
      });

      it('gives the newest first', async () => {
        const ids: string[] = [];
        for (let count = 0; count < 5; count += 1) ids.push((await scene.freeRun()).id);

        expect(await listIds()).toEqual(ids.toReversed());
      });

      it('gives rows as find does', async () => {
        const claim = await scene.claimedRun(undefined, { tags: ['z', 'a'], workflowId: 'wf_1', name: 'n' });

        const page = await scene.stores.catalogue.list('default', {}, { limit: 10 });

        expect(page.items).toEqual([await scene.row(claim.runId)]);
      });

      it('gives only runs of its namespace', async () => {
        await scene.freeRun({ namespace: 'other' });

        expect(await listIds()).toEqual([]);
      });

      describe('with a filter', () => {
        const runs: Readonly<Record<string, Partial<NewRun>>> = {
          plain: {},
          tagged: { tags: ['night', 'x'], createdAt: CREATED_AT + 1 },
          done: { summary: anIdleSummary({ status: 'completed' }), createdAt: CREATED_AT + 2 },
          flow: { workflowId: 'wf_1', tags: ['x'], createdAt: CREATED_AT + 3 },
          late: {
            parentId: 'run_1',
            workflowId: 'wf_2',
            tags: ['Night', '__proto__'],
            createdAt: CREATED_AT + 4,
          },
          dear: {
            createdAt: CREATED_AT - 10,
            summary: failedWith('x.limit', '50% of É "MAX_a" used', 2_500),
          },
          bad: { createdAt: CREATED_AT - 11, summary: failedWith('x.broken', 'step "a" failed: maxXa', 0) },
        };

        it.each<readonly [filter: RunFilter, names: readonly string[]]>([
          [{}, ['bad', 'dear', 'late', 'flow', 'done', 'tagged', 'plain']],
          [{ parentId: 'run_1' }, ['late']],
          [{ parentId: 'run_' }, []],
          [{ errorCode: 'x.broken' }, ['bad']],
          [{ errorCode: 'x' }, []],
          [{ errorText: 'FAILED: max' }, ['bad']],
          [{ errorText: '50%' }, ['dear']],
          [{ errorText: '%' }, ['dear']],
          [{ errorText: 'max_A' }, ['dear']],
          [{ errorText: 'É "' }, ['dear']],
          [{ errorText: 'max' }, ['bad', 'dear']],
          [{ minCostMicros: 2_500 }, ['dear']],
          [{ minCostMicros: 2_501 }, []],
          [{ minCostMicros: 0, status: 'failed' }, ['bad', 'dear']],
          [{ maxCostMicros: 2_499, status: 'failed' }, ['bad']],
          [{ minCostMicros: 1, maxCostMicros: 9_999, errorCode: 'x.limit' }, ['dear']],
          [{ to: CREATED_AT }, ['dear', 'bad']],
          [{ status: 'completed' }, ['done']],
          [{ status: 'timed_out' }, []],
          [{ workflowId: 'wf_1' }, ['flow']],
          [{ workflowId: 'wf' }, []],
          [{ tag: 'x' }, ['flow', 'tagged']],
          [{ tag: 'night' }, ['tagged']],
          [{ tag: 'nigh' }, []],
          [{ tag: '%' }, []],
          [{ tag: '__proto__' }, ['late']],
          [{ from: CREATED_AT + 2 }, ['late', 'flow', 'done']],
          [{ to: CREATED_AT + 2 }, ['tagged', 'plain', 'dear', 'bad']],
          [{ from: CREATED_AT + 1, to: CREATED_AT + 4 }, ['flow', 'done', 'tagged']],
          [{ tag: 'x', workflowId: 'wf_1', status: 'queued', from: CREATED_AT }, ['flow']],
          [{ tag: 'x', status: 'completed' }, []],
        ])('%j gives %j', async (filter, names) => {
          for (const [name, fields] of Object.entries(runs)) await scene.freeRun({ ...fields, name });

          const page = await scene.stores.catalogue.list('default', filter, { limit: 50 });

          expect(page.items.map(({ name }) => name)).toEqual(names);
        });
      });

      it.each([1, 7, 10, 24, 25, 26])('pages of %i lead to the end without gap or repeat', async (limit) => {
        const runs = await Promise.all(Array.from({ length: 25 }, () => scene.freeRun({ tags: ['t'] })));

        expect(await pageThrough({ tag: 't' }, limit)).toEqual(newestFirst(runs));
      });

      it.each<readonly [filter: RunFilter]>([
        [{ from: CREATED_AT }],
        [{ to: CREATED_AT + 1_000 }],
        [{ from: CREATED_AT, tag: 't' }],
        [{ errorText: 'no' }],
        [{ errorCode: 'x.y', from: CREATED_AT }],
        [{ minCostMicros: 5 }],
      ])('pages with %j lead to the end, newest first', async (filter) => {
        const fields = { tags: ['t'], summary: failedWith('x.y', 'no', 5) };
        const runs: NewRun[] = [];
        // Three runs of each instant.
        for (let count = 0; count < 12; count += 1) {
          runs.push(await scene.freeRun({ ...fields, createdAt: CREATED_AT + Math.floor(count / 3) }));
        }

        expect(await pageThrough(filter, 2)).toEqual(newestFirst(runs));
      });

      it('gives a range of time in the order of time, whatever the ids are', async () => {
        const ids = [aRunId(), aRunId(), aRunId()] as const;
        for (const [id, offset] of [
          [ids[0], 2],
          [ids[1], 0],
          [ids[2], 1],
        ] as const) {
          await scene.freeRun({ id, createdAt: CREATED_AT + offset });
        }

        expect(await pageThrough({ from: CREATED_AT }, 1)).toEqual([ids[0], ids[2], ids[1]]);
      });

      it('pages over what was there when the first was read, while runs are added', async () => {
        const runs = await Promise.all(Array.from({ length: 12 }, () => scene.freeRun()));

        const seen = await pageThrough({}, 5, () => scene.freeRun());

        expect(seen).toEqual(newestFirst(runs));
      });

      it('gives nothing for a cursor that is not one of ours', async () => {
        await scene.freeRun();

        expect(await scene.stores.catalogue.list('default', {}, { limit: 5, cursor: '!' })).toEqual({
          items: [],
        });
      });
    });

    describe('queuedBefore', () => {
      const queuedAt = (id: string, priority: number, wakeAt: number): Promise<unknown> =>
        scene.freeRun({ id, priority, summary: aSummary({ wakeAt }) });

      it('counts free queued runs of higher priority, then due before, then of a lower id', async () => {
        const middle = { id: 'run_m', priority: 50, wakeAt: 1_000 };
        await queuedAt(middle.id, middle.priority, middle.wakeAt);
        await queuedAt('run_high', 51, 9_000);
        await queuedAt('run_early', 50, 999);
        await queuedAt('run_a', 50, 1_000);
        await queuedAt('run_z', 50, 1_000);
        await queuedAt('run_late', 50, 1_001);
        await queuedAt('run_low', 49, 1);
        await scene.freeRun({ priority: 99, summary: aSummary({ status: 'waiting', wakeAt: 1 }) });
        await scene.claimedRun(undefined, { priority: 99 });

        expect(await scene.stores.catalogue.queuedBefore(middle)).toBe(3);
      });
    });

    describe('counts', () => {
      it('is empty in an empty record', async () => {
        expect(await scene.stores.catalogue.counts()).toEqual({});
      });

      it('counts runs of all namespaces by status, and leaves out what there is none of', async () => {
        await scene.freeRun();
        await scene.freeRun({ namespace: 'other' });
        await scene.freeRun({ summary: aSummary({ status: 'timed_out' }) });
        const claim = await scene.claimedRun();
        await scene.stores.runs.append(anAppend(claim, { summary: aSummary({ status: 'running' }) }));

        expect(await scene.stores.catalogue.counts()).toEqual({ queued: 2, timed_out: 1, running: 1 });
      });

      it('leaves out runs that have ended, where only open ones are asked for', async () => {
        await scene.freeRun();
        await scene.freeRun({ namespace: 'another' });
        await scene.freeRun({ namespace: 'zz', summary: aSummary({ status: 'paused' }) });
        await scene.freeRun({ summary: anIdleSummary({ status: 'completed' }) });

        expect(await scene.stores.catalogue.openCounts()).toEqual({ queued: 2, paused: 1 });
      });

      it('follows a run from status to status', async () => {
        const run = aRun();
        const ownerId = await scene.owner();
        await scene.stores.runs.create({ run, ownerId });
        const claim = { runId: run.id, ownerId, epoch: 1 };
        await scene.stores.runs.append(anAppend(claim, { summary: aSummary({ status: 'running' }) }));
        const ended = anIdleSummary({ status: 'completed', endedAt: CREATED_AT });
        await scene.stores.runs.append(anAppend(claim, { expectedSeq: 2, summary: ended }));

        expect(await scene.stores.catalogue.counts()).toEqual({ completed: 1 });
      });
    });
  });
}

function failedWith(failureCode: string, failureMessage: string, costMicros: number): RunSummary {
  return anIdleSummary({ status: 'failed', failureCode, failureMessage, costMicros });
}

function newestFirst(runs: readonly NewRun[]): readonly string[] {
  return runs.map(({ id }) => id).sort((a, b) => (a < b ? 1 : -1));
}
