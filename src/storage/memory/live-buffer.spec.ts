import { anEvent } from '../../../test/support/a-run.js';
import type { FeedItem } from '../../runs/run.feed.js';
import { LiveBuffer } from './live-buffer.js';

describe('LiveBuffer', () => {
  const event = (seq: number, input = 'x'): FeedItem => ({
    kind: 'event',
    event: anEvent('run_1', seq, input),
  });
  const delta = (text: string): FeedItem => ({
    kind: 'delta',
    delta: { type: 'step.delta', runId: 'run_1', stepId: 'a', attempt: 1, n: 1, afterSeq: 1, data: { text } },
  });

  it('gives what was pushed, once and in order', () => {
    const buffer = new LiveBuffer(true, { maxItems: 3, maxChars: 10_000 });
    const items = [event(1), delta('a'), event(2)];
    for (const item of items) buffer.push(item);

    expect(buffer.take()).toEqual(items);
    expect(buffer.take()).toEqual([]);
  });

  it.each([
    ['items', { maxItems: 2, maxChars: 10_000 }, [event(1), event(2), event(3)]],
    ['text of events', { maxItems: 100, maxChars: 1_000 }, [event(1, 'x'.repeat(1_000))]],
    ['text of deltas', { maxItems: 100, maxChars: 1_000 }, [delta('x'.repeat(600)), delta('y'.repeat(600))]],
  ])('forgets all once it holds too many %s, and says so once', (_, limits, items) => {
    const buffer = new LiveBuffer(true, limits);
    for (const item of items) buffer.push(item);
    buffer.push(event(9));

    expect(buffer.take()).toBeUndefined();
    expect(buffer.take()).toEqual([]);

    buffer.push(event(10));
    expect(buffer.take()).toEqual([event(10)]);
  });

  it('wakes who waits at the next push, also at one that overflows', async () => {
    const buffer = new LiveBuffer(true, { maxItems: 0, maxChars: 10_000 });
    const arrival = buffer.arrival();

    buffer.push(event(1));

    await expect(arrival).resolves.toBeUndefined();
    expect(buffer.take()).toBeUndefined();
  });

  it('sends its follower to the record when the log has gone on without a word, and only then', () => {
    const buffer = new LiveBuffer(true, { maxItems: 9, maxChars: 10_000 }, 3);
    buffer.push(event(4));

    buffer.tell(4);
    expect(buffer.take()).toEqual([event(4)]);
    buffer.tell(6);

    expect(buffer.take()).toBeUndefined();
    expect(buffer.reached).toBe(6);
  });
});
