import { RedisBell } from '../../src/storage/redis/redis-bell.js';
import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithRedis } from '../support/services.js';
import { until } from '../support/until.js';
import { bellContract } from './bell.contract.js';

jest.setTimeout(60_000);

const opened: RedisConnections[] = [];

function bell(redisUrl: string, redisKeyPrefix: string): RedisBell {
  const redis = new RedisConnections({ redisUrl, redisKeyPrefix, redisCaFile: undefined });
  opened.push(redis);
  return new RedisBell(redis);
}

async function bells(redisUrl: string, redisKeyPrefix: string): Promise<readonly [RedisBell, RedisBell]> {
  const both = [bell(redisUrl, redisKeyPrefix), bell(redisUrl, redisKeyPrefix)] as const;
  await until(() => both.every(({ reach }) => reach === 'most'), 'both are heard');
  await until(() => opened.every(({ commands }) => commands.status === 'ready'), 'both can ring');
  return both;
}

function closeAll(): Promise<void> {
  for (const redis of opened.splice(0)) redis.onApplicationShutdown();
  return Promise.resolve();
}

describeWithRedis('RedisBell', ({ redisUrl, redisKeyPrefix }) => {
  bellContract({ name: 'Redis', create: () => bells(redisUrl, redisKeyPrefix), destroy: closeAll });

  describe('without Redis', () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterEach(closeAll);
    afterAll(() => server.stop());

    it('rings here while Redis is away, and is heard everywhere once it is back', async () => {
      const [here, there] = await bells(server.url, 'test');
      const near: (string | undefined)[] = [];
      const far: (string | undefined)[] = [];
      here.onRing('news', (about) => near.push(about));
      there.onRing('news', (about) => far.push(about));
      await server.kill();
      await until(() => there.reach === 'none', 'the loss is noticed');

      here.ring('news', 'lost');
      expect(near).toEqual(['lost']);

      await server.restart();
      await until(() => far.includes(undefined), 'the other process is told to look at everything');
      await until(() => near.includes(undefined), 'and so is this one');
      await until(() => {
        here.ring('news', 'again');
        return far.includes('again');
      }, 'rings arrive again');
      expect(far).not.toContain('lost');
    });

    it('takes no notice of what it does not understand', async () => {
      const [here, there] = await bells(server.url, 'test');
      const heard: (string | undefined)[] = [];
      there.onRing('news', (about) => heard.push(about));
      const [redis] = opened;
      for (const message of ['', '{', '{}', '[1,2,3]', '["a"]'])
        await redis?.commands.publish('test:bell', message);
      here.ring('news', 'a');

      await until(() => heard.length > 0, 'the ring has arrived');
      expect(heard).toEqual(['a']);
    });
  });
});
