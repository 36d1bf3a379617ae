import { Grouping, type Answer, type GroupingOptions } from './grouping.js';

interface Sent {
  readonly items: readonly string[];
  readonly answer: (answers?: readonly Answer<string>[]) => void;
  readonly fail: (error: Error) => void;
}

/** A grouping whose groups wait until the test answers them. */
function aGrouping(options: Partial<GroupingOptions<string>> = {}) {
  const sent: Sent[] = [];
  const grouping = new Grouping<string, string>(
    { maxInFlight: 1, maxItems: 3, maxBytes: 100, bytesOf: (item) => item.length, ...options },
    (items) =>
      new Promise((resolve, fail) => {
        const echoed = items.map((value) => ({ value }));
        sent.push({
          items,
          answer: (answers = echoed) => {
            resolve(answers);
          },
          fail,
        });
      }),
  );
  const itemsOf = (): readonly (readonly string[])[] => sent.map(({ items }) => items);
  return { grouping, sent, itemsOf };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Grouping', () => {
  it('sends what comes in one turn together, and the rest when it is answered', async () => {
    const { grouping, sent, itemsOf } = aGrouping();
    const first = [grouping.add('a'), grouping.add('b')];
    await settled();
    const second = [grouping.add('c'), grouping.add('d')];
    await settled();
    expect(itemsOf()).toEqual([['a', 'b']]);

    sent[0]?.answer();

    expect(await Promise.all(first)).toEqual(['a', 'b']);
    expect(itemsOf()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    sent[1]?.answer();
    expect(await Promise.all(second)).toEqual(['c', 'd']);
  });

  it('keeps a group within its number of items and its bytes, but sends a large item alone', async () => {
    const { grouping, itemsOf } = aGrouping({ maxInFlight: 9, maxBytes: 5 });
    for (const item of ['a', 'b', 'c', 'd', 'eeee', 'f', 'g'.repeat(9), 'h']) void grouping.add(item);

    await settled();

    expect(itemsOf()).toEqual([['a', 'b', 'c'], ['d', 'eeee'], ['f'], ['g'.repeat(9)], ['h']]);
  });

  it('never sends items of one key together', async () => {
    const { grouping, itemsOf } = aGrouping({ maxInFlight: 9, keyOf: (item) => item.slice(0, 1) });
    for (const item of ['a1', 'b1', 'a2', 'c1']) void grouping.add(item);

    await settled();

    expect(itemsOf()).toEqual([
      ['a1', 'b1'],
      ['a2', 'c1'],
    ]);
  });

  it('has no more groups under way than allowed', async () => {
    const { grouping, sent, itemsOf } = aGrouping({ maxInFlight: 2, maxItems: 1 });
    for (const item of ['a', 'b', 'c']) void grouping.add(item);
    await settled();
    expect(itemsOf()).toEqual([['a'], ['b']]);

    sent[1]?.answer();
    await settled();

    expect(itemsOf()).toEqual([['a'], ['b'], ['c']]);
  });

  it('gives each item its own answer', async () => {
    const { grouping, sent } = aGrouping();
    const answers = Promise.allSettled([grouping.add('a'), grouping.add('b'), grouping.add('c')]);
    await settled();

    sent[0]?.answer([{ value: 'A' }, { error: new Error('b is wrong') }]);

    expect(await answers).toMatchObject([
      { status: 'fulfilled', value: 'A' },
      { status: 'rejected', reason: { message: 'b is wrong' } },
      { status: 'rejected', reason: { message: 'An item of a group was left unanswered' } },
    ]);
  });

  it('goes on after a group that failed as a whole', async () => {
    const { grouping, sent } = aGrouping({ maxItems: 1 });
    const failed = grouping.add('a');
    const next = grouping.add('b');
    await settled();

    sent[0]?.fail(new Error('gone'));
    await expect(failed).rejects.toThrow('gone');
    await settled();
    sent[1]?.answer();

    expect(await next).toBe('b');
  });

  it('sends nothing while somebody holds it, and lets holders in one after the other', async () => {
    const { grouping, sent, itemsOf } = aGrouping();
    void grouping.add('a');
    await settled();
    const held: string[] = [];
    const first = grouping.hold().then((release) => {
      held.push('first');
      return release;
    });
    const second = grouping.hold().then((release) => {
      held.push('second');
      return release;
    });
    void grouping.add('b');
    await settled();
    expect(held).toEqual([]);

    sent[0]?.answer();
    (await first)();
    const release = await second;
    await settled();
    expect(itemsOf()).toEqual([['a']]);

    release();
    await settled();
    expect(held).toEqual(['first', 'second']);
    expect(itemsOf()).toEqual([['a'], ['b']]);
  });

  it('is drained when all is answered, what came meanwhile included', async () => {
    const { grouping, sent } = aGrouping({ maxItems: 1 });
    await grouping.drain();
    const first = grouping.add('a');
    let isDrained = false;
    const drained = grouping.drain().then(() => (isDrained = true));
    await settled();
    const second = grouping.add('b');

    sent[0]?.answer();
    await first;
    await settled();
    expect(isDrained).toBe(false);

    sent[1]?.answer();
    expect([await second, await drained]).toEqual(['b', true]);
  });
});
