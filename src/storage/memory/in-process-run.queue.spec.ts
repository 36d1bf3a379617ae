import { HintTakerStub } from '../../../test/support/hint-taker.js';
import { InProcessRunQueue } from './in-process-run.queue.js';

/** Keeps what is to be called back until a test calls it. */
class Turns {
  private readonly waiting: (() => void)[] = [];
  readonly schedule = (flush: () => void): void => {
    this.waiting.push(flush);
  };

  get count(): number {
    return this.waiting.length;
  }

  next(): void {
    for (const flush of this.waiting.splice(0)) flush();
  }
}

describe('InProcessRunQueue', () => {
  it('brings waiting hints by priority, then in the order in which they came', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    const { taken } = new HintTakerStub(queue);
    for (const [runId, priority] of [
      ['a', 0],
      ['b', 50],
      ['c', 100],
      ['d', 50],
    ] as const) {
      queue.hint({ runId, priority });
    }

    turns.next();

    expect(taken.map(({ runId }) => runId)).toEqual(['c', 'b', 'd', 'a']);
  });

  it('merges hints of a run that wait together, with the highest priority', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    const { taken } = new HintTakerStub(queue);
    for (const priority of [10, 90, 50]) queue.hint({ runId: 'a', priority });
    queue.hint({ runId: 'b', priority: 60 });

    turns.next();

    expect(taken).toEqual([
      { runId: 'a', priority: 90 },
      { runId: 'b', priority: 60 },
    ]);
  });

  it('asks for one turn however many hints wait, and for none when nobody listens', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    queue.hint({ runId: 'a', priority: 0 });
    expect(turns.count).toBe(0);

    new HintTakerStub(queue);
    queue.hint({ runId: 'b', priority: 0 });

    expect(turns.count).toBe(1);
  });

  it('keeps at most 10,000 hints that nobody takes', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    for (let count = 0; count < 10_005; count += 1) queue.hint({ runId: `run-${count}`, priority: 0 });
    const { taken } = new HintTakerStub(queue);

    turns.next();

    expect(taken).toHaveLength(10_000);
  });

  it('brings the other hints when a taker throws', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    const taker = new HintTakerStub(queue);
    taker.onTake = ({ runId }) => {
      if (runId === 'a') throw new Error('broken taker');
    };
    queue.hint({ runId: 'a', priority: 1 });
    queue.hint({ runId: 'b', priority: 0 });

    expect(() => {
      turns.next();
    }).toThrow('broken taker');
    turns.next();

    expect(taker.taken.map(({ runId }) => runId)).toEqual(['a', 'b']);
  });

  it('keeps hints for the next taker when the last one stops on the way', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    const first = new HintTakerStub(queue);
    first.onTake = () => {
      first.stop();
    };
    queue.hint({ runId: 'a', priority: 1 });
    queue.hint({ runId: 'b', priority: 0 });
    turns.next();
    expect(first.taken).toEqual([{ runId: 'a', priority: 1 }]);

    const { taken } = new HintTakerStub(queue);
    turns.next();

    expect(taken).toEqual([{ runId: 'b', priority: 0 }]);
  });

  it('asks for no turn while nobody is open, and for one when somebody may be again', () => {
    const turns = new Turns();
    const queue = new InProcessRunQueue(turns.schedule);
    const taker = new HintTakerStub(queue, false);
    queue.hint({ runId: 'a', priority: 0 });
    expect(turns.count).toBe(0);

    taker.open();
    turns.next();

    expect(taker.taken).toEqual([{ runId: 'a', priority: 0 }]);
  });
});
