import { Injectable, Logger } from '@nestjs/common';

import { DEFAULT_PACE, LogFollower, type FollowPace, type LogConsumer } from './log-follower.js';
import { RunFeed } from './run.feed.js';
import { RunLog } from './run.log.js';

/** Makes followers of the log, and knows how far all of them have come. */
@Injectable()
export class LogFollowers {
  private readonly consumers: LogConsumer[] = [];

  constructor(
    private readonly log: RunLog,
    private readonly feed: RunFeed,
  ) {}

  /**
   * A follower that is not started yet. From now on no event is deleted that it has not passed: make it only where it
   * will be started, and before the application has.
   */
  create(consumer: LogConsumer, pace: FollowPace = DEFAULT_PACE): LogFollower {
    this.consumers.push(consumer);
    const logger = new Logger(`Follower of the log: ${consumer.name}`);
    return new LogFollower({ log: this.log, feed: this.feed, logger }, consumer, pace);
  }

  /** Where each follower stands. */
  cursors(): Promise<readonly string[]> {
    return Promise.all(this.consumers.map((consumer) => consumer.cursor()));
  }
}
