/** Following across processes while Redis is killed, stopped, emptied, or drops its subscribers. */
import { Logger } from '@nestjs/common';

import { FeedProcess } from '../support/feed-process.js';
import { aFreePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis } from '../support/services.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { LiveRun, numbers, TestFollower, type FeedStores } from './live-run.js';
import { useRecord } from './record-scene.js';
import { describeOnSqlite } from './sql-engines.js';

// Outages are logged, and there are many.
Logger.overrideLogger(false);

const PREFIX = 'outage';

/** What happens to Redis, and how that ends. */
interface Outage {
  readonly name: string;
  readonly begin: (server: RedisServer) => unknown;
  readonly end: (server: RedisServer) => unknown;
}

const OUTAGES: readonly Outage[] = [
  { name: 'killed', begin: (server) => server.kill(), end: (server) => server.restart() },
  {
    name: 'stopped',
    begin: (server) => {
      server.freeze();
    },
    end: (server) => {
      server.thaw();
    },
  },
  {
    name: 'robbed of its subscribers',
    begin: (server) => server.ask('CLIENT', 'KILL', 'TYPE', 'pubsub'),
    end: () => undefined,
  },
  { name: 'emptied', begin: (server) => server.flush(), end: () => undefined },
];

async function seeAll(changes: AsyncIterable<ReadonlySet<string>>, seen: Set<string>): Promise<void> {
  for await (const runIds of changes) for (const runId of runIds) seen.add(runId);
}

describeWithOwnRedis('a feed over a Redis that fails', () => {
  describeOnSqlite((engine) => {
    let server: RedisServer;
    let owner: FeedProcess;
    let reader: FeedProcess;
    const scene = useRecord<FeedStores>({
      async create() {
        server = await RedisServer.start();
        const stores = await engine.create();
        const place = { redisUrl: server.url, redisKeyPrefix: PREFIX };
        owner = new FeedProcess(place, stores);
        reader = new FeedProcess(place, stores);
        return { ...stores, feed: owner.feed };
      },
      async destroy() {
        owner.close();
        reader.close();
        await server.stop();
      },
    });

    const follow = (live: LiveRun, feed = reader.feed): TestFollower =>
      new TestFollower(feed, { namespace: 'default', runId: live.runId });

    describe.each(OUTAGES)('when it is $name', ({ begin, end }) => {
      it('gives 1..n to a follower elsewhere, during and after it', async () => {
        const live = await LiveRun.start(scene);
        const follower = follow(live);
        await live.append(1);
        expect(await follower.take(2)).toEqual([1, 2]);

        await begin(server);
        await live.append(3);
        expect(await follower.take(3)).toEqual([3, 4, 5]);
        await live.append(1);
        await end(server);
        await live.append(2);
        expect(await follower.take(3)).toEqual([6, 7, 8]);
        await Promise.all([reader.isHeard(), live.append(1)]);
        await live.end();

        expect(await follower.toEnd()).toEqual([9, 10]);
      });

      it('tells a watcher elsewhere of what changes, during and after it', async () => {
        const lives = [await LiveRun.start(scene), await LiveRun.start(scene), await LiveRun.start(scene)];
        const [before, during, after] = lives as [LiveRun, LiveRun, LiveRun];
        const over = new AbortController();
        const seen = new Set<string>();
        const watching = seeAll(reader.feed.watch('default', over.signal), seen);
        const isSeen = ({ runId }: LiveRun): Promise<void> =>
          until(() => seen.has(runId), `${runId} is seen`, 20_000);
        await reader.isHeard();
        await before.append(1);
        await isSeen(before);

        await begin(server);
        await during.append(1);
        await end(server);
        await isSeen(during);
        await after.append(1);
        await isSeen(after);
        over.abort();
        await watching;

        expect([...seen].toSorted()).toEqual(lives.map(({ runId }) => runId).toSorted());
      });
    });

    it('gives 1..n of 100 runs to 300 followers in two processes, while it is killed and comes back', async () => {
      const lives: LiveRun[] = [];
      for (let count = 0; count < 100; count += 1) lives.push(await LiveRun.start(scene));
      const taken = [0, 1, 2].flatMap((place) =>
        lives.map((live, index) =>
          follow(live, (index + place) % 2 === 0 ? owner.feed : reader.feed).toEnd(),
        ),
      );
      await until(() => owner.feed.followerCount + reader.feed.followerCount === 300, 'all follow');
      const round = (): Promise<unknown> => Promise.all(lives.map((live) => live.append(2)));

      await round();
      await server.kill();
      await round();
      await server.restart();
      await round();
      await Promise.all([owner.isHeard(), reader.isHeard()]);
      await round();
      await Promise.all(lives.map((live) => live.end()));

      for (const seqs of await Promise.all(taken)) expect(seqs).toEqual(numbers(10));
    });

    it('notices that it answers nothing, though no connection has ended, and that it does again', async () => {
      const live = await LiveRun.start(scene);
      const follower = follow(live);
      await follower.take(1);
      await reader.isHeard();

      server.freeze();
      await until(() => !reader.bus.isSure, 'the process notices', 20_000);
      await live.append(2);
      expect(await follower.take(2)).toEqual([2, 3]);
      server.thaw();
      await reader.isHeard();
      await live.end();

      expect(await follower.toEnd()).toEqual([4]);
    });

    it('makes connections anew that have died without a sign', async () => {
      const proxy = await TcpProxy.before(server.url, 6379);
      const place = { redisUrl: proxy.through(server.url), redisKeyPrefix: PREFIX };
      const distant = new FeedProcess(place, scene.stores);
      const live = await LiveRun.start(scene);
      const follower = follow(live, distant.feed);
      await follower.take(1);
      await distant.isHeard();
      const { connections } = proxy.counts;

      proxy.hold();
      await live.append(1);
      expect(await follower.take(1)).toEqual([2]);
      await until(() => proxy.counts.connections >= connections + 2, 'both are made anew', 40_000);
      await proxy.mend();
      await distant.isHeard();
      await live.end();

      expect(await follower.toEnd()).toEqual([3]);
      distant.close();
      await proxy.stop();
    }, 90_000);

    it('gives what a process does that cannot reach it', async () => {
      const place = { redisUrl: `redis://127.0.0.1:${await aFreePort()}`, redisKeyPrefix: PREFIX };
      const cutOff = new FeedProcess(place, scene.stores);
      scene.stores = { ...scene.stores, feed: cutOff.feed };
      const live = await LiveRun.start(scene);
      const follower = follow(live);
      expect(await follower.take(1)).toEqual([1]);
      await reader.isHeard();

      await live.append(2);
      expect(await follower.take(2)).toEqual([2, 3]);
      await live.end();

      expect(await follower.toEnd()).toEqual([4]);
      cutOff.close();
    });

    it('rings for those who follow the log in another process, and makes them look while it is away', async () => {
      let rings = 0;
      const end = reader.feed.onPublish(() => (rings += 1));
      await reader.isHeard();
      const live = await LiveRun.start(scene);
      const before = rings;
      await live.append(1);
      await until(() => rings > before, 'the bell rings');

      await server.kill();
      const atKill = rings;

      await until(() => rings > atKill + 2, 'it is looked again and again', 20_000);
      end();
    });

    it('tells of tasks in another process, and makes those who wait look while it is away', async () => {
      const heard: string[] = [];
      const unlisten = [
        reader.tasks.onWork('default', 'agent', () => heard.push('work')),
        reader.tasks.onTask('tsk_1', (part) =>
          heard.push(part === undefined ? 'task' : JSON.stringify(part)),
        ),
      ];
      await reader.isHeard();
      await until(() => heard.length >= 2, 'both look when they begin');
      heard.length = 0;
      owner.tasks.tellWork('default', 'agent');
      owner.tasks.tellTask('tsk_1', { type: 'progress', percent: 5, message: 'a b' });
      owner.tasks.tellTask('tsk_1');
      const progress = '{"type":"progress","percent":5,"message":"a b"}';
      await until(() => heard.includes(progress), 'notes arrive');
      expect(heard.slice(0, heard.indexOf(progress))).toContain('work');
      expect(heard.slice(heard.indexOf(progress))).toContain('task');

      await server.kill();
      heard.length = 0;

      await until(() => heard.includes('work') && heard.includes('task'), 'both look', 20_000);
      for (const each of unlisten) each();
    });
  });
});
