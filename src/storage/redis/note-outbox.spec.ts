import { NoteOutbox, type Note } from './note-outbox.js';

const note = (key: string, n: number): Note => ({
  key,
  reminder: `${key} is at ${n}`,
  text: () => `${key}: ${n}`,
});

describe('NoteOutbox', () => {
  let outbox: NoteOutbox;
  beforeEach(() => {
    outbox = new NoteOutbox();
  });

  it('gives notes of a topic in order, in one message', () => {
    outbox.put('t', note('a', 1), false);
    outbox.put('u', note('b', 1), false);
    outbox.put('t', note('a', 2), false);

    expect(outbox.take().messages).toEqual([
      ['t', 'a: 1\na: 2'],
      ['u', 'b: 1'],
    ]);
    expect(outbox.isEmpty).toBe(true);
  });

  it('keeps the latest reminder of each thing while nothing can be sent, and no note without one', () => {
    for (const n of [1, 2, 3]) outbox.put('t', note('a', n), true);
    outbox.put('t', { key: 'b', text: () => 'lost' }, true);

    expect(outbox.take().messages).toEqual([['t', 'a is at 3']]);
  });

  it('keeps reminders past a bound, and as many things as it may', () => {
    const long = { ...note('a', 1), text: () => 'x'.repeat(1_048_577) };
    outbox.put('t', long, false);
    outbox.put('t', note('b', 2), false);
    for (let n = 0; n < 20_000; n += 1) outbox.put('u', note(`c${n}`, 1), false);

    const [first, second] = outbox.take().messages;

    expect(first?.[1]).toBe(`${long.text()}\nb is at 2`);
    expect(second?.[1].split('\n')).toHaveLength(9_999);
  });

  it('reminds of what did not arrive, unless there is something later', () => {
    outbox.put('t', note('a', 1), false);
    outbox.put('t', note('b', 1), false);
    const batch = outbox.take();
    outbox.put('t', note('b', 2), false);

    outbox.putBack(batch);

    expect(outbox.take().messages).toEqual([['t', 'b: 2\na is at 1']]);
  });
});
