import { ManualClock } from '../../../test/support/manual-clock.js';
import { InProcessRateStore } from './in-process-rate.store.js';

describe('InProcessRateStore', () => {
  it('ends a window to the millisecond', async () => {
    const clock = new ManualClock();
    const rates = new InProcessRateStore(clock);
    const limit = { hits: 1, windowMs: 60_000 };
    await rates.take('a', limit);
    clock.advance(20_500);
    expect(await rates.take('a', limit)).toEqual({ hits: 2, isOver: true, endsInMs: 39_500 });

    clock.advance(39_500);

    expect(await rates.take('a', limit)).toEqual({ hits: 1, isOver: false, endsInMs: 60_000 });
  });

  it('stays bounded however many callers come', async () => {
    const rates = new InProcessRateStore(new ManualClock());
    const limit = { hits: 1, windowMs: 60_000 };
    for (let n = 0; n < 30_000; n += 1) await rates.take(String(n), limit);

    expect((await rates.take('0', limit)).isOver).toBe(false);
    expect((await rates.take('29999', limit)).isOver).toBe(true);
  });
});
