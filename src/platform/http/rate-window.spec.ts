import { ManualClock } from '../../../test/support/manual-clock.js';
import { RateWindows } from './rate-window.js';

describe('RateWindows', () => {
  it('blocks beyond the limit until the window ends, each caller by itself', async () => {
    const clock = new ManualClock();
    const windows = new RateWindows(clock);
    const hit = async (key: string): Promise<boolean> => (await windows.increment(key, 60_000, 2)).isBlocked;

    expect([await hit('a'), await hit('a'), await hit('a'), await hit('b')]).toEqual([
      false,
      false,
      true,
      false,
    ]);
    clock.advance(20_500);
    expect(await windows.increment('a', 60_000, 2)).toMatchObject({ isBlocked: true, timeToBlockExpire: 40 });
    clock.advance(39_500);
    expect(await hit('a')).toBe(false);
  });

  it('stays bounded however many callers come', async () => {
    const windows = new RateWindows(new ManualClock());
    for (let n = 0; n < 30_000; n += 1) await windows.increment(String(n), 60_000, 1);

    expect((await windows.increment('0', 60_000, 1)).isBlocked).toBe(false);
    expect((await windows.increment('29999', 60_000, 1)).isBlocked).toBe(true);
  });
});
