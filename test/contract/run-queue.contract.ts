import type { RunHint, RunQueue } from '../../src/runs/run.queue.js';
import { aRunId } from '../support/a-run.js';
import { until } from '../support/until.js';

/** An engine under test. */
export interface QueueEngine {
  readonly name: string;
  create(): Promise<RunQueue>;
  destroy(): Promise<void>;
}

/** What every `RunQueue` promises. Of order it promises little: hints travel, and workers take them as they come. */
export function runQueueContract(engine: QueueEngine): void {
  describe(`RunQueue on ${engine.name}`, () => {
    let queue: RunQueue;
    const stops: (() => void)[] = [];
    beforeEach(async () => {
      queue = await engine.create();
    });
    afterEach(async () => {
      for (const stop of stops.splice(0)) stop();
      await engine.destroy();
    });

    const consume = (): RunHint[] => {
      const taken: RunHint[] = [];
      stops.push(queue.consume((hint) => taken.push(hint)));
      return taken;
    };

    it('brings a hint to a consumer, with its priority', async () => {
      const taken = consume();
      const hint = { runId: aRunId(), priority: 70 };

      queue.hint(hint);

      await until(() => taken.length > 0, 'the hint arrives');
      expect(taken).toEqual([hint]);
    });

    it('brings a hint that came before its consumer', async () => {
      const hint = { runId: aRunId(), priority: 50 };
      queue.hint(hint);

      const taken = consume();

      await until(() => taken.length > 0, 'the hint arrives');
      expect(taken).toEqual([hint]);
    });

    it('calls no consumer before hint has returned', () => {
      const taken = consume();

      queue.hint({ runId: aRunId(), priority: 50 });

      expect(taken).toEqual([]);
    });

    it('brings each hint to one of several consumers', async () => {
      const consumers = [consume(), consume(), consume()];
      const hints = Array.from({ length: 60 }, () => ({ runId: aRunId(), priority: 50 }));
      for (const hint of hints) queue.hint(hint);

      await until(() => consumers.flat().length >= hints.length, 'all hints arrive');

      expect(
        consumers
          .flat()
          .map(({ runId }) => runId)
          .sort(),
      ).toEqual(hints.map(({ runId }) => runId).sort());
    });

    it('brings a hint again that is sent again after it was taken', async () => {
      const taken = consume();
      const hint = { runId: aRunId(), priority: 50 };
      queue.hint(hint);
      await until(() => taken.length === 1, 'the hint arrives');

      queue.hint(hint);

      await until(() => taken.length === 2, 'the hint arrives again');
      expect(taken).toEqual([hint, hint]);
    });

    it('lets a consumer send hints', async () => {
      const [first, second] = [aRunId(), aRunId()];
      const taken: string[] = [];
      stops.push(
        queue.consume(({ runId }) => {
          taken.push(runId);
          if (runId === first) queue.hint({ runId: second, priority: 50 });
        }),
      );

      queue.hint({ runId: first, priority: 50 });

      await until(() => taken.length === 2, 'both hints arrive');
      expect(taken).toEqual([first, second]);
    });

    it('brings nothing to a consumer that has stopped', async () => {
      const stopped: RunHint[] = [];
      const stop = queue.consume((hint) => stopped.push(hint));
      stop();
      stop();
      const taken = consume();

      queue.hint({ runId: aRunId(), priority: 50 });

      await until(() => taken.length > 0, 'the hint arrives elsewhere');
      expect(stopped).toEqual([]);
    });
  });
}
