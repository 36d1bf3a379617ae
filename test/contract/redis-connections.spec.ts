import { once } from 'node:events';

import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import { aFreePort } from '../support/free-port.js';
import { describeWithRedis } from '../support/services.js';

const opened: RedisConnections[] = [];

function connect(redisUrl: string, redisKeyPrefix: string): RedisConnections {
  const redis = new RedisConnections({ redisUrl, redisKeyPrefix, redisCaFile: undefined });
  opened.push(redis);
  return redis;
}

afterEach(() => {
  for (const redis of opened.splice(0)) redis.onApplicationShutdown();
});

describeWithRedis('RedisConnections', ({ redisUrl, redisKeyPrefix }) => {
  it('sends commands, and hears what is published', async () => {
    const redis = connect(redisUrl, redisKeyPrefix);
    await Promise.all([once(redis.commands, 'ready'), once(redis.subscriber, 'ready')]);
    const channel = redis.key('news');
    await redis.subscriber.subscribe(channel);

    const heard = once(redis.subscriber, 'message');
    await redis.commands.publish(channel, 'hello');

    expect(await heard).toEqual([`${redisKeyPrefix}:news`, 'hello']);
  });

  it('lets no command wait for a Redis that is away', async () => {
    const redis = connect(`redis://127.0.0.1:${await aFreePort()}`, redisKeyPrefix);

    await expect(redis.commands.ping()).rejects.toThrow();
    await expect(redis.subscriber.subscribe('any')).rejects.toThrow();
  });
});
