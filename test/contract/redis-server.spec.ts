import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis } from '../support/services.js';

describeWithOwnRedis('RedisServer', () => {
  it('keeps with an append-only file what it had, and its port', async () => {
    const server = await RedisServer.start({ appendOnly: true });
    const { url } = server;
    await server.ask('SET', 'a', '1');

    await server.kill();
    await server.restart();

    expect(server.url).toBe(url);
    expect(await server.ask('GET', 'a')).toBe('1');
    await server.stop();
  });

  it('answers once it goes on what it was asked while it was frozen, and forgets what it is told to', async () => {
    const server = await RedisServer.start();
    await server.ask('SET', 'a', '1');
    server.freeze();
    const answer = server.ask('GET', 'a');
    server.thaw();
    expect(await answer).toBe('1');

    await server.flush();

    expect(await server.ask('GET', 'a')).toBeNull();
    await server.stop();
  });
});
