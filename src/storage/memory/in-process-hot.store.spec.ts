import { ManualClock } from '../../../test/support/manual-clock.js';
import { InProcessHotStore } from './in-process-hot.store.js';

describe('InProcessHotStore', () => {
  const keyOf = (id: string): { namespace: string; area: string; id: string } => ({
    namespace: 'default',
    area: 'template',
    id,
  });

  it('lets go of the value that was not used for longest when it is full', async () => {
    const hot = new InProcessHotStore(new ManualClock(), 3);
    for (const id of ['a', 'b', 'c']) await hot.set(keyOf(id), id, 1_000);
    await hot.get(keyOf('a'));
    await hot.set(keyOf('b'), 'b again', 1_000);

    await hot.set(keyOf('d'), 'd', 1_000);

    const kept = await Promise.all(['a', 'b', 'c', 'd'].map((id) => hot.get(keyOf(id))));
    expect(kept).toEqual(['a', 'b again', undefined, 'd']);
  });

  it('does not prolong the time of a value by reading it', async () => {
    const clock = new ManualClock();
    const hot = new InProcessHotStore(clock);
    await hot.set(keyOf('a'), 'a', 100);
    clock.advance(99);
    expect(await hot.get(keyOf('a'))).toBe('a');

    clock.advance(1);

    expect(await hot.get(keyOf('a'))).toBeUndefined();
  });
});
