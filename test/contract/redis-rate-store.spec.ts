/** Rates counted in Redis: by one process, by two together, and while Redis is killed or hangs. */
import { SystemClock } from '../../src/platform/clock/clock.js';
import type { RateLimit } from '../../src/platform/ports/rate.store.js';
import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import { RedisRateStore } from '../../src/storage/redis/redis-rate.store.js';
import { RedisReach } from '../../src/storage/redis/redis-reach.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis, describeWithRedis, type RedisPlace } from '../support/services.js';
import { until } from '../support/until.js';
import { rateStoreContract } from './rate-store.contract.js';

/** Longer than the service waits, for machines that are busy; shorter than a command may take. */
const PATIENCE_MS = 900;
const DEADLINE_MS = 30_000;
const WINDOW_MS = 600_000;

jest.setTimeout(120_000);

const ends: (() => void)[] = [];

/** A process that counts; resolves when Redis answers it. */
async function counting(
  place: RedisPlace,
): Promise<{ readonly rates: RedisRateStore; readonly reach: RedisReach }> {
  const connections = new RedisConnections({ ...place, redisCaFile: undefined });
  const reach = new RedisReach(connections.commands, PATIENCE_MS);
  ends.push(() => {
    reach.onApplicationShutdown();
    connections.onApplicationShutdown();
  });
  const rates = new RedisRateStore(connections, reach, new SystemClock());
  await until(() => reach.isOpen, 'Redis is there', DEADLINE_MS);
  return { rates, reach };
}

const destroy = (): Promise<void> => {
  for (const end of ends.splice(0)) end();
  return Promise.resolve();
};

let counted = 0;

function own({ redisUrl, redisKeyPrefix }: RedisPlace): RedisPlace {
  return { redisUrl, redisKeyPrefix: `${redisKeyPrefix}:${++counted}` };
}

/** How many of so many requests, one after the other to each process in turn, are let through. */
async function letThrough(
  stores: readonly RedisRateStore[],
  requests: number,
  limit: RateLimit,
): Promise<number> {
  let through = 0;
  for (let at = 0; at < requests; at += 1) {
    const count = await stores[at % stores.length]?.take('key_1', limit);
    if (count?.isOver === false) through += 1;
  }
  return through;
}

describeWithRedis('on Redis', (place) => {
  afterEach(destroy);

  rateStoreContract({
    name: 'Redis',
    create: async () => ({ stores: [(await counting(own(place))).rates] }),
    destroy,
  });

  rateStoreContract({
    name: 'Redis, by three processes',
    create: async () => {
      const shared = own(place);
      const processes = [await counting(shared), await counting(shared), await counting(shared)];
      return { stores: processes.map(({ rates }) => rates) };
    },
    destroy,
  });

  it('lets not much more through than a large limit, and not less, where nobody waits for the others', async () => {
    const shared = own(place);
    const stores = [(await counting(shared)).rates, (await counting(shared)).rates];
    const limit = { hits: 3_000, windowMs: WINDOW_MS };

    const through = await letThrough(stores, 9_000, limit);

    expect(through).toBeGreaterThanOrEqual(limit.hits);
    expect(through).toBeLessThanOrEqual(limit.hits + (2 * limit.hits) / 64);
  });
});

describeWithOwnRedis('RateStore on a Redis that is', () => {
  const limit = { hits: 100, windowMs: WINDOW_MS };
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true });
  });
  afterEach(async () => {
    await destroy();
    await server.stop();
  });

  /** Two processes that have counted twenty requests together. */
  const two = async (): Promise<readonly [Counting, Counting]> => {
    const place = { redisUrl: server.url, redisKeyPrefix: 'ensemble' };
    const pair = [await counting(place), await counting(place)] as const;
    expect(await letThrough(storesOf(pair), 20, limit)).toBe(20);
    return pair;
  };

  it('killed: each process lets through by itself what was left, and what Redis has counted is not forgotten', async () => {
    const [a, b] = await two();
    await server.kill();

    expect(await letThrough([a.rates], 200, limit)).toBeGreaterThanOrEqual(80);
    expect((await a.rates.take('key_1', limit)).isOver).toBe(true);
    expect(await letThrough([b.rates], 30, limit)).toBe(30);

    await server.restart();
    await until(() => a.reach.isOpen && b.reach.isOpen, 'Redis is back', DEADLINE_MS);

    expect((await a.rates.take('key_1', limit)).isOver).toBe(true);
    expect((await b.rates.take('key_1', limit)).hits).toBe(21);
  });

  it('hanging: requests are let through meanwhile, and counted together when it goes on', async () => {
    const [a, b] = await two();
    server.freeze();

    expect(await letThrough([a.rates, b.rates], 60, limit)).toBe(60);

    server.thaw();
    await until(() => a.reach.isOpen && b.reach.isOpen, 'Redis answers', DEADLINE_MS);
    const { hits } = await a.rates.take('key_2', limit);
    expect((await b.rates.take('key_2', limit)).hits).toBe(hits + 1);
  });
});

type Counting = Awaited<ReturnType<typeof counting>>;

function storesOf(processes: readonly Counting[]): readonly RedisRateStore[] {
  return processes.map(({ rates }) => rates);
}
