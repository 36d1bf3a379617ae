import type { Reservation } from '../../src/platform/ports/limiter.js';
import { LONG_TTL_MS, SHORT_MS, useRecord, type RecordEngine } from './record-scene.js';

const KEY = { namespace: 'default', key: 'agt_1' };

function aReservation(holder: string, fields: Partial<Reservation> = {}): Reservation {
  return { ...KEY, holder, ttlMs: LONG_TTL_MS, takes: [], ...fields };
}

/** What every `Limiter` promises. */
export function limiterContract(engine: RecordEngine): void {
  describe(`Limiter on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const limiter = (): typeof scene.stores.limiter => scene.stores.limiter;
    const reserve = async (holder: string, fields: Partial<Reservation> = {}): Promise<boolean> =>
      (await limiter().reserve(aReservation(holder, fields))).held;
    const tokens = (amount: number, perMinute: number): Pick<Reservation, 'takes'> => ({
      takes: [{ bucket: 'tokens', amount, perMinute }],
    });

    describe('slots', () => {
      it('are given up to the limit, and again when one is released', async () => {
        expect(await reserve('a', { slots: 2 })).toBe(true);
        expect(await reserve('b', { slots: 2 })).toBe(true);
        expect(await limiter().reserve(aReservation('c', { slots: 2 }))).toEqual({
          held: false,
          retryAfterMs: expect.any(Number) as number,
          by: 'slots',
        });

        await limiter().release(KEY, 'a');
        await limiter().release(KEY, 'nobody');

        expect(await reserve('c', { slots: 2 })).toBe(true);
        expect(await reserve('d', { slots: 2 })).toBe(false);
      });

      it('are never more than the limit for many at the same time', async () => {
        const holders = Array.from({ length: 40 }, (_, index) => `h${String(index)}`);

        const held = await Promise.all(holders.map((holder) => reserve(holder, { slots: 3 })));

        expect(held.filter(Boolean)).toHaveLength(3);
      });

      it('of other keys and namespaces are apart', async () => {
        expect(await reserve('a', { slots: 1 })).toBe(true);
        expect(await reserve('b', { slots: 1, key: 'agt_2' })).toBe(true);
        expect(await reserve('c', { slots: 1, namespace: 'other' })).toBe(true);
      });

      it('are free when the lease has run out, and say when that is', async () => {
        await reserve('a', { slots: 1, ttlMs: SHORT_MS });

        const refused = await limiter().reserve(aReservation('b', { slots: 1 }));
        expect(refused).toMatchObject({ held: false });
        expect('retryAfterMs' in refused && refused.retryAfterMs).toBeLessThanOrEqual(SHORT_MS);
        await scene.passTime(SHORT_MS + 1);

        expect(await limiter().renew(['a'], LONG_TTL_MS)).toEqual([]);
        expect(await reserve('b', { slots: 1 })).toBe(true);
      });

      it('are kept by renewal', async () => {
        await reserve('a', { slots: 2, ttlMs: 2_000 });
        await reserve('b', { slots: 2 });

        expect([...(await limiter().renew(['a', 'b', 'nobody'], LONG_TTL_MS))].sort()).toEqual(['a', 'b']);
        expect(await limiter().renew([], LONG_TTL_MS)).toEqual([]);
        if (scene.stores.advance !== undefined) await scene.passTime(2_001);

        expect(await reserve('c', { slots: 2 })).toBe(false);
      });
    });

    describe('buckets', () => {
      it('hold a minute of their flow and fill with time', async () => {
        const perMinute = 60_000;
        expect(await reserve('a', tokens(59_999, perMinute))).toBe(true);
        const refused = await limiter().reserve(aReservation('b', tokens(SHORT_MS + 1, perMinute)));
        expect(refused).toMatchObject({ held: false, by: 'rate' });
        expect('retryAfterMs' in refused && refused.retryAfterMs).toBeLessThanOrEqual(SHORT_MS);

        await scene.passTime(SHORT_MS);

        expect(await reserve('b', tokens(SHORT_MS + 1, perMinute))).toBe(true);
      });

      it('let more than they hold through when they are full, and are in debt then', async () => {
        expect(await reserve('a', tokens(100, 10))).toBe(true);

        const refused = await limiter().reserve(aReservation('b', tokens(1, 10)));

        expect('retryAfterMs' in refused && refused.retryAfterMs).toBeGreaterThan(500_000);
      });

      it('are settled by what was spent, in both ways', async () => {
        await reserve('a', tokens(10, 10));
        expect(await reserve('b', tokens(4, 10))).toBe(false);

        await limiter().adjust(KEY, 'tokens', -5);
        expect(await reserve('b', tokens(4, 10))).toBe(true);

        await limiter().adjust(KEY, 'tokens', 20);
        await limiter().adjust(KEY, 'nothing', 20);
        expect(await reserve('c', tokens(1, 10))).toBe(false);
      });
    });

    it('takes everything or nothing', async () => {
      const both = { slots: 1, takes: [{ bucket: 'requests', amount: 1, perMinute: 1 }] };
      expect(await reserve('a', both)).toBe(true);
      await limiter().release(KEY, 'a');

      expect(await reserve('b', both)).toBe(false);
      expect(await reserve('c', { slots: 1 })).toBe(true);

      await limiter().adjust(KEY, 'requests', -1);
      expect(await reserve('d', both)).toBe(false);
      await limiter().release(KEY, 'c');
      expect(await reserve('e', both)).toBe(true);
    });

    it('lets nothing through while it is paused, and keeps the longer pause', async () => {
      await limiter().pause(KEY, SHORT_MS);
      await limiter().pause(KEY, 1);

      const refused = await limiter().reserve(aReservation('a'));
      expect(refused).toMatchObject({ held: false, by: 'pause' });
      expect(await reserve('b', { key: 'agt_2' })).toBe(true);
      await scene.passTime(SHORT_MS + 1);

      expect(await reserve('a')).toBe(true);
    });
  });
}
