import type { Json } from '../../src/kernel/json.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import type { NewRun } from '../../src/runs/run.store.js';
import { aRun, aRunId, aSummary, anAppend, anEvent, anIdleSummary, someEvents } from '../support/a-run.js';
import type { RecordScene } from './record-scene.js';

/** JSON that is damaged by stores that do not keep the text. */
const HOSTILE_INPUTS: readonly (readonly [name: string, input: Json])[] = [
  ['a key __proto__', JSON.parse('{"a":1,"__proto__":{"polluted":true},"b":2}') as Json],
  ['keys constructor and toString', { constructor: { prototype: 1 }, toString: 'x', '': 'empty' }],
  ['keys that look like numbers, in their order', JSON.parse('{"b":1,"10":2,"9":3}') as Json],
  ['letters of many scripts', 'žluťoučký 漢字 🎵\u2028\u2029\u0301'],
  ['a lone surrogate', { '\ud800': 'high \ud83c and low \udfb5' }],
  ['control characters', '\u0000\u0001\u001f\u007f\r\n\t'],
  ['quotes and placeholders', `'"\`\\ $1 ? :name {{ input.x }} %s`],
  ['numbers at the edge', [1e21, 5e-324, -0.5, 9_007_199_254_740_991, 0.1]],
  ['nothing at all', [null, {}, [], '', false, 0]],
  ['a long text', 'ab🎵'.repeat(100_000)],
];

/** Texts of row columns that a store may refuse, but never change. */
const HOSTILE_NAMES = ['a\ud800b', 'a\u0000b', '🎵 漢字', "Robert'); DROP TABLE runs;--", '', ' '];

/** What `RunStore.create` promises. */
export function createContract(scene: RecordScene): void {
  describe('create', () => {
    it('writes a row and its first events', async () => {
      const id = aRunId();
      const run = aRun({
        id,
        name: 'nightly',
        workflowId: 'wf_1',
        workflowVersion: 3,
        priority: 70,
        tags: ['b', 'a', 'b c'],
        parentId: aRunId(),
        summary: aSummary({ stepsTotal: 9, wakeAt: 1_700_000_000_123 }),
        events: someEvents(id, 1, 3),
      });
      const { events, appendId, ...row } = run;
      expect(await scene.stores.catalogue.find('default', id)).toBeUndefined();

      expect(await scene.stores.runs.create({ run })).toEqual({ outcome: 'created' });

      expect(await scene.row(id)).toEqual({ ...row, lastSeq: 3, epoch: 0 });
      expect(await scene.texts(id)).toEqual(events.map(({ text }) => text));
      expect(await scene.stores.runs.findAppend(id, 0, appendId)).toBe(true);
    });

    it.each(HOSTILE_INPUTS)('gives %s back byte for byte', async (_, input) => {
      const id = aRunId();
      const event = anEvent(id, 1, input);
      await scene.freeRun({ id, events: [event] });

      const page = await scene.stores.runs.read('default', id, { afterSeq: 0, limit: 10 });

      expect(page?.events.map(({ text }) => text)).toEqual([event.text]);
      expect(page?.events.map((read) => JSON.stringify(read.event))).toEqual([event.text]);
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    });

    it.each(HOSTILE_NAMES)('keeps the name and tag %j as they are, or refuses them', async (text) => {
      const run = aRun({ name: text, tags: [text] });
      const isCreated = await scene.stores.runs.create({ run }).then(
        () => true,
        () => false,
      );

      const row = await scene.stores.catalogue.find('default', run.id);

      expect(row && [row.name, ...row.tags]).toEqual(isCreated ? [text, text] : undefined);
    });

    it('leaves a run without an owner free and due at its wakeAt', async () => {
      const wakeAt = (await scene.stores.now()) - 5;
      const run = await scene.freeRun({ priority: 3, summary: aSummary({ wakeAt }) });

      const due = await scene.stores.lease.due(10);

      expect(due.runs).toEqual([{ runId: run.id, epoch: 0, priority: 3, wakeAt }]);
    });

    it('claims a run for its owner with epoch 1', async () => {
      const ownerId = await scene.owner();
      const run = aRun();
      await scene.stores.runs.create({ run, ownerId });
      const claim: Claim = { runId: run.id, ownerId, epoch: 1 };

      expect(await scene.row(run.id)).toMatchObject({ ownerId, epoch: 1 });
      expect(await scene.dueIds()).toEqual([]);
      expect(await scene.stores.runs.append(anAppend(claim))).toMatchObject({ outcome: 'appended' });
    });

    it('leaves a run free, due and of epoch 1 when its owner holds no live lease', async () => {
      const run = aRun({ summary: anIdleSummary() });
      await scene.stores.runs.create({ run, ownerId: await scene.deadOwner() });

      const row = await scene.row(run.id);

      expect(row).toMatchObject({ epoch: 1 });
      expect(row.ownerId).toBeUndefined();
      expect(await scene.dueIds()).toEqual([run.id]);
    });

    it('refuses an id that exists and leaves the first run as it is', async () => {
      const first = await scene.freeRun({ name: 'first' });
      const { rows, present } = await scene.alsoRows();
      const second = aRun({ id: first.id, name: 'second', namespace: 'other' });

      expect(await scene.stores.runs.create({ run: second, also: rows })).toEqual({ outcome: 'exists' });

      expect(await scene.row(first.id)).toMatchObject({ name: 'first', namespace: 'default', lastSeq: 1 });
      expect(await scene.stores.runs.findAppend(first.id, 0, second.appendId)).toBe(false);
      expect(await present()).toBe(0);
    });

    it('makes one run of twenty creations with the same id at the same time', async () => {
      const id = aRunId();
      const attempts = Array.from({ length: 20 }, () => scene.stores.runs.create({ run: aRun({ id }) }));

      const outcomes = (await Promise.all(attempts)).map(({ outcome }) => outcome);

      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(19);
    });

    it('refuses a run when the queue is full, and says how many are queued', async () => {
      await scene.freeRun();
      await scene.freeRun({ namespace: 'other' });
      const run = aRun();

      expect(await scene.stores.runs.create({ run, maxQueued: 2 })).toEqual({
        outcome: 'queue_full',
        queued: 2,
      });

      expect(await scene.stores.catalogue.find('default', run.id)).toBeUndefined();
      expect(await scene.stores.runs.create({ run, maxQueued: 3 })).toEqual({ outcome: 'created' });
    });

    it('counts neither claimed runs nor runs of another status nor sub-runs as queued', async () => {
      const ownerId = await scene.owner();
      await scene.claimedRun(ownerId);
      await scene.stores.runs.create({ run: aRun(), ownerId });
      await scene.freeRun({ summary: aSummary({ status: 'waiting' }) });
      await scene.freeRun({ parentId: aRunId() });

      expect(await scene.stores.runs.create({ run: aRun(), maxQueued: 1 })).toEqual({ outcome: 'created' });
    });

    it('never finds the queue full when no size is given', async () => {
      for (let count = 0; count < 5; count += 1) await scene.freeRun();

      expect(await scene.stores.runs.create({ run: aRun() })).toEqual({ outcome: 'created' });
    });

    it('writes an idempotency row together with the run', async () => {
      const run = aRun();
      const idempotency = await scene.idempotencyRow({ runId: run.id });

      expect(await scene.stores.runs.create({ run, idempotency })).toEqual({ outcome: 'created' });

      expect(await scene.stores.idempotency.find(idempotency, idempotency.createdAt)).toEqual(idempotency);
    });

    it.each(['a'.repeat(64), 'b'.repeat(64)])(
      'refuses a key that was used, and says for which body and run (body %s)',
      async (bodyHash) => {
        const first = aRun();
        const used = await scene.idempotencyRow({ runId: first.id });
        await scene.stores.runs.create({ run: first, idempotency: used });
        const { rows, present } = await scene.alsoRows();
        const second = aRun();
        const idempotency = await scene.idempotencyRow({ runId: second.id, bodyHash });

        const result = await scene.stores.runs.create({
          run: second,
          idempotency,
          also: rows,
          maxQueued: 0,
        });

        expect(result).toEqual({ outcome: 'key_used', row: used });
        expect(await scene.stores.catalogue.find('default', second.id)).toBeUndefined();
        expect(await present()).toBe(0);
      },
    );

    it('takes the same key in another namespace or operation for another key', async () => {
      await scene.stores.runs.create({ run: aRun(), idempotency: await scene.idempotencyRow() });

      for (const other of [{ namespace: 'other' }, { operation: 'POST /api/v1/tasks' }, { key: 'KEY-1' }]) {
        const idempotency = await scene.idempotencyRow(other);
        const result = await scene.stores.runs.create({ run: aRun(), idempotency });
        expect(result).toEqual({ outcome: 'created' });
      }
    });

    it('takes the place of a key that has expired', async () => {
      const now = await scene.stores.now();
      const expired = await scene.idempotencyRow({ createdAt: now - 1_000, expiresAt: now - 1 });
      await scene.stores.idempotency.begin(expired);
      const run = aRun();
      const idempotency = await scene.idempotencyRow({ runId: run.id });

      expect(await scene.stores.runs.create({ run, idempotency })).toEqual({ outcome: 'created' });

      expect(await scene.stores.idempotency.find(idempotency, now)).toEqual(idempotency);
    });

    it('makes one run of twenty creations with the same key at the same time', async () => {
      const idempotency = await scene.idempotencyRow();
      const attempts = Array.from({ length: 20 }, () => {
        const run = aRun();
        return scene.stores.runs.create({ run, idempotency: { ...idempotency, runId: run.id } });
      });

      const results = await Promise.all(attempts);

      const created = results.filter(({ outcome }) => outcome === 'created');
      const told = results.flatMap((result) => (result.outcome === 'key_used' ? [result.row.runId] : []));
      expect(created).toHaveLength(1);
      expect(new Set(told).size).toBe(1);
      expect(told).toHaveLength(19);
      expect(await scene.stores.catalogue.counts()).toEqual({ queued: 1 });
    });

    it('makes rows of every kind true together with the run', async () => {
      const { rows, present } = await scene.alsoRows();

      await scene.stores.runs.create({ run: aRun(), also: rows });

      expect(await present()).toBe(5);
    });

    it.each([
      ['none', (): NewRun => aRun({ events: [] })],
      ['not numbered from 1', (): NewRun => withEvents((id) => [anEvent(id, 2)])],
      ['numbered with a gap', (): NewRun => withEvents((id) => [anEvent(id, 1), anEvent(id, 3)])],
    ])('throws when the events are %s, and writes nothing', async (_, make) => {
      const run = make();

      await expect(scene.stores.runs.create({ run })).rejects.toThrow(RangeError);

      expect(await scene.stores.catalogue.find('default', run.id)).toBeUndefined();
    });
  });
}

function withEvents(eventsOf: (runId: string) => NewRun['events']): NewRun {
  const id = aRunId();
  return aRun({ id, events: eventsOf(id) });
}
