import type { RateStore } from '../../src/platform/ports/rate.store.js';
import { until } from '../support/until.js';

const LIMIT = { hits: 3, windowMs: 600_000 };
const SHORT = { hits: 2, windowMs: 200 };

/** Counters under test: as many as processes share them. Requests come to them in turn. */
export interface RateScene {
  readonly stores: readonly RateStore[];
  /** Moves their time on; absent where only waiting does. */
  advance?(ms: number): void;
}

/** An engine under test. */
export interface RateEngine {
  readonly name: string;
  create(): Promise<RateScene>;
  destroy(): Promise<void>;
}

/** What every `RateStore` promises. */
export function rateStoreContract(engine: RateEngine): void {
  describe(`RateStore on ${engine.name}`, () => {
    let scene: RateScene;
    let turn = 0;
    beforeEach(async () => {
      scene = await engine.create();
    });
    afterEach(() => engine.destroy());

    const next = (): RateStore => scene.stores[turn++ % scene.stores.length] as RateStore;
    const isOver = async (key: string): Promise<boolean> => (await next().take(key, LIMIT)).isOver;

    it('says from when on a caller is past the limit, each by itself', async () => {
      const answers: boolean[] = [];
      for (const key of ['a', 'a', 'b', 'a', 'a', 'b', 'a', 'a']) answers.push(await isOver(key));

      expect(answers).toEqual([false, false, false, false, true, false, true, true]);
    });

    it('counts, and says when the window ends', async () => {
      const first = await next().take('a', LIMIT);
      const second = await next().take('a', LIMIT);

      expect([first.hits, second.hits]).toEqual([1, 2]);
      for (const { endsInMs } of [first, second]) {
        expect(endsInMs).toBeGreaterThan(LIMIT.windowMs / 2);
        expect(endsInMs).toBeLessThanOrEqual(LIMIT.windowMs);
      }
    });

    it('lets exactly as many through of those that come at once', async () => {
      const limit = { hits: 700, windowMs: 600_000 };
      const counts = await Promise.all(Array.from({ length: 2_000 }, () => next().take('a', limit)));

      expect(counts.filter(({ isOver: past }) => !past)).toHaveLength(700);
    });

    it('begins again when the window is over', async () => {
      await until(async () => (await next().take('a', SHORT)).isOver, 'the limit is reached');
      scene.advance?.(SHORT.windowMs);

      await until(async () => !(await next().take('a', SHORT)).isOver, 'another window begins');
    });

    it('keeps apart what differs in any character', async () => {
      const keys = [
        'start 127.0.0.1',
        'start 127.0.0.2',
        'read 127.0.0.1',
        'start ::1',
        '{a}',
        '{a}}',
        '',
        '__proto__',
      ];
      for (const key of keys) expect((await next().take(key, LIMIT)).hits).toBe(1);
    });
  });
}
