import { once } from 'node:events';

import type { RunHint } from '../../src/runs/run.queue.js';
import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import { RedisRunQueue } from '../../src/storage/redis/redis-run.queue.js';
import { aRunId } from '../support/a-run.js';
import { HintTakerStub } from '../support/hint-taker.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithRedis } from '../support/services.js';
import { until } from '../support/until.js';
import { runQueueContract } from './run-queue.contract.js';

/** How long Redis may need to be found again, with what was sent before it was lost. */
const BACK_MS = 30_000;

/** How old hints are when they are not looked at one by one any more. */
const OLD_MS = 10_000;

/** A process that sends hints, or takes them, or both. */
class QueueProcess {
  readonly redis: RedisConnections;
  readonly queue: RedisRunQueue;

  constructor(redisUrl: string, redisKeyPrefix: string) {
    this.redis = new RedisConnections({ redisUrl, redisKeyPrefix, redisCaFile: undefined });
    this.queue = new RedisRunQueue(this.redis);
  }

  static async start(redisUrl: string, redisKeyPrefix: string): Promise<QueueProcess> {
    const process = new QueueProcess(redisUrl, redisKeyPrefix);
    await Promise.all([once(process.redis.commands, 'ready'), once(process.redis.subscriber, 'ready')]);
    return process;
  }

  async stop(): Promise<void> {
    await this.queue.beforeApplicationShutdown();
    this.redis.onApplicationShutdown();
  }
}

describeWithRedis('RedisRunQueue', ({ redisUrl, redisKeyPrefix }) => {
  let processes: QueueProcess[] = [];
  let queues = 0;
  runQueueContract({
    name: 'Redis',
    hasOthers: true,
    create: async (count) => {
      const prefix = `${redisKeyPrefix}:${++queues}`;
      processes = await Promise.all(
        Array.from({ length: count }, () => QueueProcess.start(redisUrl, prefix)),
      );
      return processes.map(({ queue }) => queue);
    },
    destroy: async () => {
      await Promise.all(processes.map((process) => process.stop()));
    },
  });
});

describeWithRedis('RedisRunQueue and a Redis that is lost', () => {
  let server: RedisServer;
  let sender: QueueProcess;
  let receiver: QueueProcess;
  let taker: HintTakerStub;

  beforeEach(async () => {
    server = await RedisServer.start();
    sender = await QueueProcess.start(server.url, 'test');
    receiver = await QueueProcess.start(server.url, 'test');
    taker = new HintTakerStub(receiver.queue);
  });
  afterEach(async () => {
    taker.stop();
    server.thaw();
    await Promise.all([sender.stop(), receiver.stop()]);
    await server.stop();
  });

  const aHint = (): RunHint => ({ runId: aRunId(), priority: 50 });
  const has = ({ runId }: RunHint): boolean => taker.taken.some((hint) => hint.runId === runId);

  /** Hints are lost while Redis is away, so it is sent until it arrives. */
  const untilHintsFlow = async (): Promise<void> => {
    const hint = aHint();
    await until(
      async () => {
        sender.queue.hint(hint);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return has(hint);
      },
      'hints arrive',
      BACK_MS,
    );
  };

  const untilWaiting = (count: number): Promise<void> =>
    until(
      async () => (await server.ask('ZCARD', 'test:{hints}:prioritized')) === count,
      `${String(count)} hints wait`,
    );

  it('brings hints again after Redis was killed; takers look for themselves meanwhile, and after it', async () => {
    await untilHintsFlow();

    await server.kill();
    await until(() => taker.missedCount >= 2, 'the taker is told, and told again');
    for (let count = 0; count < 20_000; count += 1) sender.queue.hint(aHint());
    const before = taker.missedCount;
    await server.restart();

    await until(() => taker.missedCount > before, 'the taker is told');
    await untilHintsFlow();
  }, 60_000);

  it('brings hints again after Redis stood still', async () => {
    await untilHintsFlow();
    const own = new HintTakerStub(sender.queue, false);

    server.freeze();
    sender.queue.hint(aHint());
    await until(() => own.missedCount > 0, 'who sends is told that it was not answered');
    server.thaw();

    await untilHintsFlow();
    own.stop();
  }, 60_000);

  it('brings hints again after Redis was emptied', async () => {
    await untilHintsFlow();

    await server.flush();

    await untilHintsFlow();
  }, 60_000);

  it('begins while Redis is away', async () => {
    await untilHintsFlow();
    taker.stop();
    await server.kill();
    const late = new QueueProcess(server.url, 'test');
    const lateTaker = new HintTakerStub(late.queue);
    late.queue.hint(aHint());
    late.queue.note({ kind: 'mail', runId: aRunId() });

    await server.restart();

    const hint = aHint();
    const note = { kind: 'mail', runId: hint.runId } as const;
    await until(
      async () => {
        sender.queue.hint(hint);
        sender.queue.note(note);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return lateTaker.taken.length > 0 && lateTaker.heard.length > 0;
      },
      'hints and notes arrive',
      BACK_MS,
    );
    expect([lateTaker.taken[0], lateTaker.heard[0]]).toEqual([hint, note]);
    await late.stop();
  }, 60_000);

  it('brings hints that wait by their priority', async () => {
    taker.close();
    await untilWaiting(0);
    const hints = [0, 50, 100].map((priority) => ({ runId: aRunId(), priority }));
    for (const hint of hints) sender.queue.hint(hint);
    await untilWaiting(hints.length);
    const other = new HintTakerStub(sender.queue);

    await until(() => other.taken.length === hints.length, 'all arrive');

    expect(other.taken).toEqual(hints.toReversed());
    other.stop();
  });

  it('keeps one hint of those of a run that wait together', async () => {
    taker.close();
    const hint = aHint();
    for (let count = 0; count < 3; count += 1) {
      sender.queue.hint(hint);
      await untilWaiting(1);
    }
    sender.queue.hint(aHint());

    await untilWaiting(2);
  });

  it('forgets hints that have waited long with the first of them', async () => {
    taker.close();
    const hints = Array.from({ length: 50 }, aHint);
    const { now } = Date;
    Date.now = () => now() - OLD_MS;
    for (const hint of hints) sender.queue.hint(hint);
    await untilWaiting(hints.length);
    Date.now = now;

    taker.open();
    await untilWaiting(0);
    const last = aHint();
    sender.queue.hint(last);

    await until(() => has(last), 'a new one arrives');
    expect(taker.taken).toHaveLength(2);
  });

  it('leaves nothing of hints that were taken', async () => {
    await untilHintsFlow();
    await until(async () => {
      const keys = (await server.ask('KEYS', 'test:*:run_*')) as string[];
      return keys.length === 0;
    }, 'no job is left');

    expect(await server.ask('ZCARD', 'test:{hints}:prioritized')).toBe(0);
    expect(await server.ask('LLEN', 'test:{hints}:active')).toBe(0);
  });
});
