import type { IdempotencyAnswer } from '../../src/platform/ports/idempotency.store.js';
import type { Json } from '../../src/kernel/json.js';
import { aRunId } from '../support/a-run.js';
import { useRecord, type RecordEngine } from './record-scene.js';

const ANSWER: IdempotencyAnswer = {
  status: 201,
  headers: { location: '/api/v1/templates/tpl_1' },
  body: JSON.parse(
    '{"id":"tpl_1","__proto__":{"a":1},"text":"🎵 \\ud800 \\u0000","constructor":null}',
  ) as Json,
};

/** What every `IdempotencyStore` promises. */
export function idempotencyStoreContract(engine: RecordEngine): void {
  describe(`IdempotencyStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    describe('begin', () => {
      it('takes a key that nobody used', async () => {
        const row = await scene.idempotencyRow();

        expect(await scene.stores.idempotency.begin(row)).toEqual({ state: 'fresh' });
        expect(await scene.stores.idempotency.find(row, row.createdAt)).toEqual(row);
      });

      it('says that the first request has not answered yet', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);

        expect(await scene.stores.idempotency.begin(row)).toEqual({ state: 'in_progress' });
      });

      it('gives the first answer again', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);
        await scene.stores.idempotency.complete(row, ANSWER);

        const begun = await scene.stores.idempotency.begin(row);

        expect(begun).toMatchObject({ state: 'answered', row: { bodyHash: row.bodyHash } });
        expect(JSON.stringify(begun.state === 'answered' && begun.row.answer)).toBe(JSON.stringify(ANSWER));
      });

      it('counts a key that started a run as answered', async () => {
        const row = await scene.idempotencyRow({ runId: aRunId() });
        await scene.stores.idempotency.begin(row);

        expect(await scene.stores.idempotency.begin(row)).toEqual({ state: 'answered', row });
      });

      it.each([true, false])('refuses another body (answered: %j)', async (isAnswered) => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);
        if (isAnswered) await scene.stores.idempotency.complete(row, ANSWER);

        const other = { ...row, bodyHash: 'b'.repeat(64) };

        expect(await scene.stores.idempotency.begin(other)).toEqual({ state: 'mismatch' });
        expect(await scene.stores.idempotency.find(row, row.createdAt)).toMatchObject({
          bodyHash: row.bodyHash,
        });
      });

      it('takes the same key of another namespace or operation for another key', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);

        for (const other of [{ namespace: 'other' }, { operation: 'PUT /x' }, { key: 'key-2' }]) {
          expect(await scene.stores.idempotency.begin({ ...row, ...other })).toEqual({ state: 'fresh' });
        }
      });

      it('takes a key that has expired, whatever its body and answer', async () => {
        const now = await scene.stores.now();
        const expired = await scene.idempotencyRow({ createdAt: now - 1_000, expiresAt: now - 1 });
        await scene.stores.idempotency.begin(expired);
        await scene.stores.idempotency.complete(expired, ANSWER);
        const row = await scene.idempotencyRow({ bodyHash: 'c'.repeat(64) });

        expect(await scene.stores.idempotency.begin(row)).toEqual({ state: 'fresh' });
        expect(await scene.stores.idempotency.find(row, now)).toEqual(row);
      });

      it('is fresh for one of twenty at the same time', async () => {
        const row = await scene.idempotencyRow();

        const begun = await Promise.all(
          Array.from({ length: 20 }, () => scene.stores.idempotency.begin(row)),
        );

        expect(begun.filter(({ state }) => state === 'fresh')).toHaveLength(1);
        expect(begun.filter(({ state }) => state === 'in_progress')).toHaveLength(19);
      });
    });

    describe('complete', () => {
      it('keeps the first answer', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);
        await scene.stores.idempotency.complete(row, ANSWER);
        await scene.stores.idempotency.complete(row, { ...ANSWER, status: 500 });

        const found = await scene.stores.idempotency.find(row, row.createdAt);

        expect(found?.answer?.status).toBe(201);
      });

      it('does nothing when the row is gone', async () => {
        const row = await scene.idempotencyRow();

        await scene.stores.idempotency.complete(row, ANSWER);

        expect(await scene.stores.idempotency.find(row, row.createdAt)).toBeUndefined();
      });
    });

    describe('abandon', () => {
      it('gives the key back', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);

        await scene.stores.idempotency.abandon(row);

        expect(await scene.stores.idempotency.begin({ ...row, bodyHash: 'd'.repeat(64) })).toEqual({
          state: 'fresh',
        });
      });

      it('keeps a key with an answer, and one with a run', async () => {
        const answered = await scene.idempotencyRow({ key: 'a' });
        const started = await scene.idempotencyRow({ key: 'b', runId: aRunId() });
        for (const row of [answered, started]) await scene.stores.idempotency.begin(row);
        await scene.stores.idempotency.complete(answered, ANSWER);

        for (const row of [answered, started]) await scene.stores.idempotency.abandon(row);

        for (const row of [answered, started]) {
          expect(await scene.stores.idempotency.find(row, row.createdAt)).toBeDefined();
        }
      });

      it('gives back no other key', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);

        await scene.stores.idempotency.abandon({ ...row, namespace: 'other' });

        expect(await scene.stores.idempotency.find(row, row.createdAt)).toBeDefined();
      });
    });

    describe('find', () => {
      it('counts a row until just before it expires', async () => {
        const row = await scene.idempotencyRow();
        await scene.stores.idempotency.begin(row);

        expect(await scene.stores.idempotency.find(row, row.expiresAt - 1)).toEqual(row);
        expect(await scene.stores.idempotency.find(row, row.expiresAt)).toBeUndefined();
      });
    });

    describe('sweep', () => {
      it('deletes what has expired, at most as much as asked, and says how much', async () => {
        const now = await scene.stores.now();
        for (const [key, expiresAt] of [
          ['a', now - 1],
          ['b', now],
          ['c', now - 2],
          ['d', now + 1],
        ] as const) {
          await scene.stores.idempotency.begin(
            await scene.idempotencyRow({ key, createdAt: now - 10, expiresAt }),
          );
        }

        expect(await scene.stores.idempotency.sweep(now, 2)).toBe(2);
        expect(await scene.stores.idempotency.sweep(now, 2)).toBe(1);
        expect(await scene.stores.idempotency.sweep(now, 2)).toBe(0);
        expect(await scene.stores.idempotency.sweep(now + 1, 2)).toBe(1);
      });
    });
  });
}
