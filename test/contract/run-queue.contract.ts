import type { RunHint, RunQueue } from '../../src/runs/run.queue.js';
import { aRunId } from '../support/a-run.js';
import { HintTakerStub } from '../support/hint-taker.js';
import { until } from '../support/until.js';

/** An engine under test. */
export interface QueueEngine {
  readonly name: string;
  /** Processes on one queue; an engine within one process gives the same one as often as it is asked. */
  create(processes: number): Promise<readonly RunQueue[]>;
  destroy(): Promise<void>;
  /** Whether notes reach other processes. */
  readonly hasOthers: boolean;
}

/** What every `RunQueue` promises. Of order it promises little: hints travel, and workers take them as they come. */
export function runQueueContract(engine: QueueEngine): void {
  describe(`RunQueue on ${engine.name}`, () => {
    let queues: readonly RunQueue[];
    let queue: RunQueue;
    let takers: HintTakerStub[] = [];
    beforeEach(async () => {
      takers = [];
      queues = await engine.create(3);
      [queue] = queues as [RunQueue];
    });
    afterEach(async () => {
      for (const taker of takers) taker.stop();
      await engine.destroy();
    });

    /** A taker in a process, by its index. */
    const consume = (index = 0, isOpen = true): HintTakerStub => {
      const taker = new HintTakerStub(queues[index] ?? queue, isOpen);
      takers.push(taker);
      return taker;
    };

    const aHint = (priority = 50): RunHint => ({ runId: aRunId(), priority });

    it.each([0, 70, 100])('brings a hint to a taker, with its priority %d', async (priority) => {
      const { taken } = consume();
      const hint = aHint(priority);

      queue.hint(hint);

      await until(() => taken.length > 0, 'the hint arrives');
      expect(taken).toEqual([hint]);
    });

    it('brings a hint that came before its taker', async () => {
      const hint = aHint();
      queue.hint(hint);

      const { taken } = consume(1);

      await until(() => taken.length > 0, 'the hint arrives');
      expect(taken).toEqual([hint]);
    });

    it('calls no taker before hint has returned', () => {
      const { taken } = consume();

      queue.hint(aHint());

      expect(taken).toEqual([]);
    });

    it('brings each hint to one of several takers', async () => {
      const all = [consume(0), consume(1), consume(2)];
      const hints = Array.from({ length: 60 }, () => aHint());
      for (const hint of hints) queue.hint(hint);

      const takenIds = (): string[] => all.flatMap(({ taken }) => taken.map(({ runId }) => runId));
      await until(() => takenIds().length >= hints.length, 'all hints arrive');

      expect(takenIds().toSorted()).toEqual(hints.map(({ runId }) => runId).toSorted());
    });

    it('brings a hint again that is sent again after it was taken', async () => {
      const { taken } = consume();
      const hint = aHint();
      queue.hint(hint);
      await until(() => taken.length === 1, 'the hint arrives');

      queue.hint(hint);

      await until(() => taken.length === 2, 'the hint arrives again');
      expect(taken).toEqual([hint, hint]);
    });

    it('lets a taker send hints, also of the run that it was brought', async () => {
      const [first, second] = [aHint(), aHint()];
      const taker = consume();
      taker.onTake = ({ runId }) => {
        if (runId !== first.runId || taker.taken.length > 1) return;
        queue.hint(second);
        queue.hint(first);
      };

      queue.hint(first);

      await until(() => taker.taken.length === 3, 'all hints arrive');
      expect(taker.taken[0]).toEqual(first);
      expect(taker.taken.slice(1)).toEqual(expect.arrayContaining([first, second]));
    });

    it('brings nothing to a taker that has stopped', async () => {
      const stopped = consume(0);
      stopped.stop();
      stopped.stop();
      const { taken } = consume(1);

      queue.hint(aHint());

      await until(() => taken.length > 0, 'the hint arrives elsewhere');
      expect(stopped.taken).toEqual([]);
    });

    it('brings nothing to a taker that is not open while another one is', async () => {
      const closed = consume(0, false);
      const { taken } = consume(1);
      const hints = Array.from({ length: 20 }, () => aHint());

      for (const hint of hints) queue.hint(hint);

      await until(() => taken.length === hints.length, 'all hints arrive at the other one');
      expect(closed.taken).toEqual([]);
    });

    it('takes a hint back that reaches a taker which has just closed', async () => {
      const closing = consume(0);
      const first = aHint();
      queue.hint(first);
      await until(() => closing.taken.length === 1, 'it waits for the next one');
      closing.close();
      const { taken } = consume(1);
      const second = aHint();

      queue.hint(second);

      await until(() => taken.length === 1, 'the hint arrives elsewhere');
      expect([closing.taken, taken]).toEqual([[first], [second]]);
    });

    it('keeps hints while nobody is open', async () => {
      const taker = consume(0, false);
      const hint = aHint();
      queue.hint(hint);
      const witness = consume(1);
      witness.close();

      taker.open();

      await until(() => taker.taken.length + witness.taken.length > 0, 'the hint arrives');
      expect(taker.taken).toEqual([hint]);
    });

    it('tells every other process a note', async () => {
      const others = [consume(1), consume(2)];
      const note = { kind: 'mail', runId: aRunId() } as const;

      if (!engine.hasOthers) {
        queue.note(note);
        expect(others.flatMap(({ heard }) => heard)).toEqual([]);
        return;
      }
      await until(() => {
        queue.note(note); // those sent before the others listen are lost
        return others.every(({ heard }) => heard.length > 0);
      }, 'both hear it');
      expect(others.map(({ heard }) => heard[0])).toEqual([note, note]);
    });
  });
}
