import { v7 } from 'uuid';

import { isId, makeChildRunId, makeId, timeOfId } from './ids.js';

describe('ids', () => {
  it('sort by the time at which they were made', () => {
    const early = makeId('run', v7({ msecs: 1_000 }));
    const late = makeId('run', v7({ msecs: 2_000 }));

    expect(early < late).toBe(true);
    expect(timeOfId(early)).toBe(1_000);
  });

  it('are recognised by prefix and form', () => {
    const id = makeId('run', v7());

    expect(isId('run', id)).toBe(true);
    expect(isId('tpl', id)).toBe(false);
    expect(isId('run', `${id}0`)).toBe(false);
  });

  it('of a child share the time of the parent and are the same each time', () => {
    const parent = makeId('run', v7({ msecs: 1_700_000_000_000 }));
    const child = makeChildRunId(parent, 'ab'.repeat(32));

    expect(isId('run', child)).toBe(true);
    expect(timeOfId(child)).toBe(1_700_000_000_000);
    expect(makeChildRunId(parent, 'ab'.repeat(32))).toBe(child);
  });
});
