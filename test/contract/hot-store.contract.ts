import type { HotKey, HotStore } from '../../src/platform/ports/hot.store.js';
import { until } from '../support/until.js';

const LONG_MS = 600_000;
const SHORT_MS = 40;

/** A cache under test. */
export interface HotScene {
  readonly hot: HotStore;
  /** Moves the cache's time on; absent where only waiting does. */
  advance?(ms: number): void;
}

/** An engine under test. */
export interface HotEngine {
  readonly name: string;
  create(): Promise<HotScene>;
  destroy(): Promise<void>;
}

/** What every `HotStore` promises. */
export function hotStoreContract(engine: HotEngine): void {
  describe(`HotStore on ${engine.name}`, () => {
    let scene: HotScene;
    beforeEach(async () => {
      scene = await engine.create();
    });
    afterEach(() => engine.destroy());

    const aKey = (fields: Partial<HotKey> = {}): HotKey => ({
      namespace: 'default',
      area: 'template',
      id: 'tpl_1',
      ...fields,
    });

    it('gives back what was set', async () => {
      const value = { text: '🎵 \u0000', list: [1, null, { a: false }] };
      await scene.hot.set(aKey(), value, LONG_MS);

      expect(await scene.hot.get(aKey())).toEqual(value);
    });

    it('knows nothing of what was never set', async () => {
      expect(await scene.hot.get(aKey())).toBeUndefined();
    });

    it('replaces an older value', async () => {
      await scene.hot.set(aKey(), { version: 1 }, LONG_MS);
      await scene.hot.set(aKey(), { version: 2 }, LONG_MS);

      expect(await scene.hot.get(aKey())).toEqual({ version: 2 });
    });

    it('keeps apart what differs in namespace, area or id', async () => {
      const keys = [
        aKey(),
        aKey({ namespace: 'other' }),
        aKey({ area: 'run-view' }),
        aKey({ id: 'tpl_2' }),
        aKey({ id: 'tpl_1\ntemplate' }),
        aKey({ id: '__proto__' }),
        aKey({ id: '' }),
      ];
      for (const [index, key] of keys.entries()) await scene.hot.set(key, { index }, LONG_MS);

      for (const [index, key] of keys.entries()) expect(await scene.hot.get(key)).toEqual({ index });
    });

    it('forgets a value when its time is over', async () => {
      await scene.hot.set(aKey(), 'short', SHORT_MS);
      await scene.hot.set(aKey({ id: 'long' }), 'long', LONG_MS);
      scene.advance?.(SHORT_MS);

      await until(async () => (await scene.hot.get(aKey())) === undefined, 'the value is forgotten');

      expect(await scene.hot.get(aKey({ id: 'long' }))).toBe('long');
    });

    it('counts the time of a value from when it was set last', async () => {
      await scene.hot.set(aKey(), 'first', SHORT_MS);
      await scene.hot.set(aKey(), 'second', LONG_MS);
      await scene.hot.set(aKey({ id: 'other' }), 'other', SHORT_MS);
      scene.advance?.(SHORT_MS);
      await until(
        async () => (await scene.hot.get(aKey({ id: 'other' }))) === undefined,
        'the other is forgotten',
      );

      expect(await scene.hot.get(aKey())).toBe('second');
    });

    it('forgets a value that is invalidated, and no other', async () => {
      await scene.hot.set(aKey(), 1, LONG_MS);
      await scene.hot.set(aKey({ id: 'other' }), 2, LONG_MS);

      await scene.hot.invalidate(aKey());
      await scene.hot.invalidate(aKey({ id: 'unknown' }));

      expect(await scene.hot.get(aKey())).toBeUndefined();
      expect(await scene.hot.get(aKey({ id: 'other' }))).toBe(2);
    });

    describe('fill', () => {
      const failing = (): Promise<unknown> => Promise.reject(new Error('not to be loaded'));

      it('gives what is kept without loading it', async () => {
        await scene.hot.set(aKey(), { version: 1 }, LONG_MS);

        expect(await scene.hot.fill(aKey(), LONG_MS, failing)).toEqual({ version: 1 });
      });

      it('keeps what was loaded, for as long as it says', async () => {
        const load = (): Promise<object> => Promise.resolve({ version: 1 });
        expect(await scene.hot.fill(aKey(), LONG_MS, load)).toEqual({ version: 1 });
        expect(await scene.hot.fill(aKey({ id: 'short' }), SHORT_MS, load)).toEqual({ version: 1 });

        expect(await scene.hot.get(aKey())).toEqual({ version: 1 });
        expect(await scene.hot.fill(aKey(), LONG_MS, failing)).toEqual({ version: 1 });
        scene.advance?.(SHORT_MS);
        await until(
          async () => (await scene.hot.get(aKey({ id: 'short' }))) === undefined,
          'the value is forgotten',
        );
      });

      it('keeps nothing where there is nothing, nor where loading fails', async () => {
        const nothing = (): Promise<unknown> => Promise.resolve(undefined);
        expect(await scene.hot.fill(aKey(), LONG_MS, nothing)).toBeUndefined();
        await expect(scene.hot.fill(aKey(), LONG_MS, failing)).rejects.toThrow('not to be loaded');

        expect(await scene.hot.fill(aKey(), LONG_MS, () => Promise.resolve('there'))).toBe('there');
        expect(await scene.hot.get(aKey())).toBe('there');
      });

      it('answers, and does not keep, what was invalidated while it was loaded', async () => {
        const loaded = await scene.hot.fill(aKey(), LONG_MS, async () => {
          await scene.hot.invalidate(aKey());
          return 'of before';
        });

        expect(loaded).toBe('of before');
        expect(await scene.hot.get(aKey())).toBeUndefined();
      });

      it('keeps nothing with no time to live', async () => {
        expect(await scene.hot.fill(aKey(), 0, () => Promise.resolve('brief'))).toBe('brief');
        await scene.hot.set(aKey({ id: 'set' }), 'brief', 0);

        expect(await scene.hot.get(aKey())).toBeUndefined();
        expect(await scene.hot.get(aKey({ id: 'set' }))).toBeUndefined();
      });
    });
  });
}
