import type { Bell } from '../../src/platform/ports/bell.js';
import { until } from '../support/until.js';

/** An engine under test: the bells of two processes, which may be one. */
export interface BellEngine {
  readonly name: string;
  /** Bells that are heard already. */
  create(): Promise<readonly [Bell, Bell]>;
  destroy(): Promise<void>;
}

/** What every `Bell` promises. */
export function bellContract(engine: BellEngine): void {
  describe(`Bell on ${engine.name}`, () => {
    let here: Bell;
    let there: Bell;

    beforeEach(async () => {
      [here, there] = await engine.create();
    });
    afterEach(() => engine.destroy());

    const listen = (bell: Bell, name: string): (string | undefined)[] => {
      const heard: (string | undefined)[] = [];
      bell.onRing(name, (about) => heard.push(about));
      return heard;
    };

    it('is heard in every process, once, with what it is about', async () => {
      const [near, far] = [listen(here, 'news'), listen(there, 'news')];

      here.ring('news', 'a');
      here.ring('news', 'b');

      await until(() => far.length === 2, 'the other process has heard both');
      expect(near).toEqual(['a', 'b']);
      expect(far).toEqual(['a', 'b']);
    });

    it('is heard by those who listen to its name', async () => {
      const [news, other] = [listen(there, 'news'), listen(there, 'other')];

      here.ring('other', 'a');
      here.ring('news', 'b');

      await until(() => news.length === 1, 'the ring has arrived');
      expect([news, other]).toEqual([['b'], ['a']]);
    });

    it('is heard by each who listens, until they stop', async () => {
      const heard: string[] = [];
      const listener = (about?: string): void => void heard.push(String(about));
      const stop = there.onRing('news', listener);
      there.onRing('news', listener);
      stop();
      stop();

      here.ring('news', 'a');

      await until(() => heard.length > 0, 'the ring has arrived');
      expect(heard).toEqual(['a']);
    });

    it('keeps what it is about as it is', async () => {
      const heard = listen(there, 'news');
      const about = '"a"\n[b] — ✓';

      here.ring('news', about);

      await until(() => heard.length > 0, 'the ring has arrived');
      expect(heard).toEqual([about]);
    });
  });
}
