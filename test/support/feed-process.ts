/** What one process has of the feed: connections to Redis of its own, over a record that it shares with others. */
import { SystemClock } from '../../src/platform/clock/clock.js';
import { NoteBus } from '../../src/storage/redis/note-bus.js';
import { RedisConnections } from '../../src/storage/redis/redis-connections.js';
import type { LookedAt } from '../../src/storage/redis/feed-looks.js';
import { RedisRunFeed } from '../../src/storage/redis/redis-run.feed.js';
import { RedisTaskFeed } from '../../src/storage/redis/redis-task.feed.js';
import { until } from './until.js';
import type { RedisPlace } from './services.js';

const SHARDS = 64;

export class FeedProcess {
  private readonly redis: RedisConnections;
  readonly bus: NoteBus;
  readonly feed: RedisRunFeed;
  readonly tasks: RedisTaskFeed;

  constructor(place: RedisPlace, record: LookedAt) {
    this.redis = new RedisConnections({ ...place, redisCaFile: undefined });
    this.bus = new NoteBus(this.redis, new SystemClock());
    this.feed = new RedisRunFeed(record, this.bus);
    this.tasks = new RedisTaskFeed(this.bus);
  }

  /** Listens as a process does in which runs of every shard are followed, and waits until it hears. */
  async listenToAll(): Promise<void> {
    for (let shard = 0; shard < SHARDS; shard += 1) this.bus.join(`runs:{${shard}}`, () => undefined);
    await this.isHeard();
  }

  /** Resolves once notes arrive here. */
  isHeard(): Promise<void> {
    return until(() => this.bus.isSure, 'the process hears notes', 20_000);
  }

  close(): void {
    this.feed.onApplicationShutdown();
    this.tasks.onApplicationShutdown();
    this.bus.onApplicationShutdown();
    this.redis.onApplicationShutdown();
  }
}
