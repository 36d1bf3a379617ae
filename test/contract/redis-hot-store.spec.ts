/** The hot store on Redis: alone, between processes, and while Redis is killed, hangs or is emptied. */
import { HotStore, type HotKey } from '../../src/platform/ports/hot.store.js';
import { SystemClock } from '../../src/platform/clock/clock.js';
import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import { RedisHotStore } from '../../src/storage/redis/redis-hot.store.js';
import { RedisReach } from '../../src/storage/redis/redis-reach.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis, describeWithRedis, type RedisPlace } from '../support/services.js';
import { until } from '../support/until.js';
import { hotStoreContract } from './hot-store.contract.js';

const LONG_MS = 600_000;
/** Longer than the service waits, for machines that are busy; shorter than a command may take. */
const PATIENCE_MS = 900;
/** A copy is served for at most a second without a sign that notes come, and Redis is tried twice a second. */
const DEADLINE_MS = 30_000;
const KEY: HotKey = { namespace: 'default', area: 'template', id: 'tpl_1' };
const READY: HotKey = { namespace: 'default', area: 'ready', id: 'any' };

jest.setTimeout(120_000);

/** One process, as far as the store goes. */
class Peer {
  private static readonly all: Peer[] = [];
  readonly hot: RedisHotStore;

  private constructor(
    private readonly connections: RedisConnections,
    private readonly reach: RedisReach,
  ) {
    this.hot = new RedisHotStore(connections, reach, new SystemClock());
    Peer.all.push(this);
  }

  /** Resolves when values are shared. */
  static async start(place: RedisPlace): Promise<Peer> {
    const connections = new RedisConnections({ ...place, redisCaFile: undefined });
    const peer = new Peer(connections, new RedisReach(connections.commands, PATIENCE_MS));
    await peer.whenShared();
    return peer;
  }

  static endAll(): void {
    for (const { hot, reach, connections } of Peer.all.splice(0)) {
      hot.onApplicationShutdown();
      reach.onApplicationShutdown();
      connections.onApplicationShutdown();
    }
  }

  /** Resolves when what is set here is in Redis. */
  async whenShared(): Promise<void> {
    const { connections, hot } = this;
    await until(
      async () => {
        await hot.set(READY, 1, LONG_MS);
        return (
          (await connections.commands.del(connections.key('hot', '{default:ready:any}')).catch(() => 0)) === 1
        );
      },
      'values are shared',
      DEADLINE_MS,
    );
  }
}

afterEach(() => {
  Peer.endAll();
});

/** What one process sets or invalidates is looked for by another. */
class Across extends HotStore {
  override readonly isShared = true;

  constructor(
    private readonly writer: HotStore,
    private readonly reader: HotStore,
  ) {
    super();
  }

  override get<T>(key: HotKey): Promise<T | undefined> {
    return this.reader.get(key);
  }

  override fill<T>(key: HotKey, ttlMs: number, load: () => Promise<T | undefined>): Promise<T | undefined> {
    return this.reader.fill(key, ttlMs, load);
  }

  override set(key: HotKey, value: unknown, ttlMs: number): Promise<void> {
    return this.writer.set(key, value, ttlMs);
  }

  override invalidate(key: HotKey): Promise<void> {
    return this.writer.invalidate(key);
  }
}

const destroy = (): Promise<void> => Promise.resolve();
let counted = 0;

/** Keys of a scene's own. */
function own({ redisUrl, redisKeyPrefix }: RedisPlace): RedisPlace {
  return { redisUrl, redisKeyPrefix: `${redisKeyPrefix}:${++counted}` };
}

describeWithRedis('on Redis', (place) => {
  hotStoreContract({
    name: 'Redis',
    create: async () => ({ hot: (await Peer.start(own(place))).hot }),
    destroy,
  });

  hotStoreContract({
    name: 'Redis, written by one process and read by another',
    create: async () => {
      const shared = own(place);
      const [one, other] = await Promise.all([Peer.start(shared), Peer.start(shared)]);
      return { hot: new Across(one.hot, other.hot) };
    },
    destroy,
  });

  describe('between processes', () => {
    const fillWith = (peer: Peer, value: string): Promise<string | undefined> =>
      peer.hot.fill(KEY, LONG_MS, () => Promise.resolve(value));
    let peers: readonly [Peer, Peer, Peer];
    beforeEach(async () => {
      const shared = own(place);
      peers = [await Peer.start(shared), await Peer.start(shared), await Peer.start(shared)];
    });

    it('one fills for all', async () => {
      const [a, b, c] = peers;

      expect([await fillWith(a, 'a'), await fillWith(b, 'b'), await fillWith(c, 'c')]).toEqual([
        'a',
        'a',
        'a',
      ]);
    });

    it('copies of what one invalidates are forgotten by all', async () => {
      const [a, b, c] = peers;
      for (const peer of peers) await fillWith(peer, 'old');

      await b.hot.invalidate(KEY);

      expect(await b.hot.get(KEY)).toBeUndefined();
      for (const peer of [a, c])
        await until(async () => (await peer.hot.get(KEY)) === undefined, 'the copy is forgotten');
      expect([await fillWith(c, 'new'), await fillWith(a, 'newer')]).toEqual(['new', 'new']);
    });

    it('what was loaded before an invalidation elsewhere is not found after it', async () => {
      const [a, b, c] = peers;
      const loading = Promise.withResolvers<string>();
      const hasBegun = Promise.withResolvers<undefined>();
      const filling = a.hot.fill(KEY, LONG_MS, () => {
        hasBegun.resolve(undefined);
        return loading.promise;
      });
      await hasBegun.promise;

      await b.hot.invalidate(KEY);
      loading.resolve('old');

      expect(await filling).toBe('old');
      expect(await c.hot.get(KEY)).toBeUndefined();
      await until(async () => (await a.hot.get(KEY)) === undefined, 'the filler forgets it too');
      expect(await fillWith(b, 'new')).toBe('new');
      await until(async () => (await fillWith(a, 'never')) === 'new', 'the filler finds the new value');
    });

    it('of many that fill one gap at once all find what one of them has put there', async () => {
      const filled = await Promise.all(
        peers.flatMap((peer, at) =>
          Array.from({ length: 10 }, (_, n) => fillWith(peer, `${String(at)}.${String(n)}`)),
        ),
      );
      const [found, ...others] = await Promise.all(peers.map(({ hot }) => hot.get<string>(KEY)));

      expect(filled).toContain(found);
      expect(others).toEqual([found, found]);
    });

    it('what is too large stays with who loaded it', async () => {
      const [a, b] = peers;
      const large = 'x'.repeat(1_048_577);
      expect(await fillWith(a, large)).toBe(large);
      await a.hot.set({ ...KEY, id: 'set' }, large, LONG_MS);

      expect(await b.hot.get(KEY)).toBeUndefined();
      expect(await b.hot.get({ ...KEY, id: 'set' })).toBeUndefined();
    });
  });
});

describeWithOwnRedis('HotStore on a Redis that is', () => {
  const kept = 'ensemble:hot:{default:template:tpl_1}';
  let server: RedisServer;
  let a: Peer;
  let b: Peer;
  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true });
    const shared = { redisUrl: server.url, redisKeyPrefix: 'ensemble' };
    [a, b] = await Promise.all([Peer.start(shared), Peer.start(shared)]);
    await a.hot.fill(KEY, LONG_MS, () => Promise.resolve('old'));
    expect(await b.hot.get(KEY)).toBe('old');
  });
  afterEach(() => server.stop());

  /** Fills with a new value on both, and sees that no old one comes. */
  const expectNew = async (): Promise<void> => {
    for (const { hot } of [a, b])
      expect(await hot.fill(KEY, LONG_MS, () => Promise.resolve('new'))).toBe('new');
  };

  it('killed: nothing is kept for long, and what was invalidated meanwhile is not found when it is back', async () => {
    await server.kill();
    await b.hot.invalidate(KEY);
    expect(await b.hot.get(KEY)).toBeUndefined();
    await until(async () => (await a.hot.get(KEY)) === undefined, 'the copy is too old', DEADLINE_MS);
    expect(await a.hot.fill(KEY, LONG_MS, () => Promise.resolve('new'))).toBe('new');
    await a.hot.set(READY, 'set', LONG_MS);

    await server.restart();
    expect(await server.ask('GET', kept)).toMatch(/^\d+:"old"$/);
    await Promise.all([a.whenShared(), b.whenShared()]);

    await expectNew();
  });

  it('hanging: everything is answered meanwhile, and what was invalidated is not found when it goes on', async () => {
    server.freeze();
    await b.hot.invalidate(KEY);
    await until(async () => (await a.hot.get(KEY)) === undefined, 'the copy is too old', DEADLINE_MS);
    for (let at = 0; at < 200; at += 1) {
      const key = { ...KEY, id: `tpl_${String(at)}` };
      expect(await a.hot.fill(key, LONG_MS, () => Promise.resolve(at))).toBe(at);
      await b.hot.invalidate(key);
    }

    server.thaw();
    await Promise.all([a.whenShared(), b.whenShared()]);

    await expectNew();
  });

  it('emptied: what was kept is loaded again, and an invalidation still reaches everybody', async () => {
    await server.flush();
    await Promise.all([a.whenShared(), b.whenShared()]);
    await a.hot.invalidate(KEY);
    await until(async () => (await b.hot.get(KEY)) === undefined, 'the copy is forgotten');

    await expectNew();
  });

  it('closing the connections over which notes come: copies of what was invalidated meanwhile are forgotten', async () => {
    await server.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await a.hot.invalidate(KEY);

    await until(async () => (await b.hot.get(KEY)) === undefined, 'the copy is forgotten', DEADLINE_MS);
    await Promise.all([a.whenShared(), b.whenShared()]);
    await expectNew();
  });
});
