/** The feed over Redis: the same promises within a process and between two. */
import { RunFeed, type Delta, type FeedItem, type FollowOptions } from '../../src/runs/run.feed.js';
import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import { FeedProcess } from '../support/feed-process.js';
import { describeWithPostgres, describeWithRedis, type RedisPlace } from '../support/services.js';
import type { RecordEngine } from './record-scene.js';
import { runFeedContract, type FeedEngine } from './run-feed.contract.js';
import { describeOnSqlite, postgresEngine } from './sql-engines.js';

/** One process publishes, another one follows. */
class FeedOfTwo extends RunFeed {
  constructor(
    private readonly owner: RunFeed,
    private readonly reader: RunFeed,
  ) {
    super();
  }

  override follow(options: FollowOptions): AsyncIterable<FeedItem> {
    return this.reader.follow(options);
  }

  override watch(namespace: string, signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    return this.reader.watch(namespace, signal);
  }

  override publish(namespace: string, runId: string, events: readonly EncodedEvent[]): void {
    this.owner.publish(namespace, runId, events);
  }

  override publishDelta(delta: Delta): void {
    this.owner.publishDelta(delta);
  }
}

function withinOne(engine: RecordEngine, place: RedisPlace): FeedEngine {
  const processes: FeedProcess[] = [];
  return {
    name: 'Redis, within one process',
    async create() {
      const stores = await engine.create();
      const only = new FeedProcess(place, stores);
      processes.push(only);
      return { ...stores, feed: only.feed };
    },
    destroy: () => closeAll(processes),
  };
}

function betweenTwo(engine: RecordEngine, place: RedisPlace): FeedEngine {
  const processes: FeedProcess[] = [];
  return {
    name: 'Redis, between two processes',
    async create() {
      const stores = await engine.create();
      const [owner, reader] = [new FeedProcess(place, stores), new FeedProcess(place, stores)];
      processes.push(owner, reader);
      await reader.listenToAll();
      return { ...stores, feed: new FeedOfTwo(owner.feed, reader.feed) };
    },
    destroy: () => closeAll(processes),
  };
}

function closeAll(processes: FeedProcess[]): Promise<void> {
  for (const each of processes.splice(0)) each.close();
  return Promise.resolve();
}

describeWithRedis('a feed over Redis', (place) => {
  describeOnSqlite((engine) => {
    runFeedContract(withinOne(engine, place));
    runFeedContract(betweenTwo(engine, place));
  });

  describeWithPostgres('on PostgreSQL', (url) => {
    runFeedContract(betweenTwo(postgresEngine(url), place));
  });
});
