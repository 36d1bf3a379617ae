import { Injectable, Logger } from '@nestjs/common';

import { DEFAULT_PACE, LogFollower, type FollowPace, type LogConsumer } from './log-follower.js';
import { RunFeed } from './run.feed.js';
import { RunLog } from './run.log.js';

/** Makes followers of the log, and knows how far all of them have come. */
@Injectable()
export class LogFollowers {
  private readonly followers: LogFollower[] = [];

  constructor(
    private readonly log: RunLog,
    private readonly feed: RunFeed,
  ) {}

  /**
   * A follower that is not started yet. From now on no event is deleted that it has not passed, here or in another
   * process: make it only where one of them will start it, and before the application has started.
   */
  create(consumer: LogConsumer, pace: FollowPace = DEFAULT_PACE): LogFollower {
    const logger = new Logger(`Follower of the log: ${consumer.name}`);
    const follower = new LogFollower({ log: this.log, feed: this.feed, logger }, consumer, pace);
    this.followers.push(follower);
    return follower;
  }

  /** Where each follower stands. */
  cursors(): Promise<readonly string[]> {
    return Promise.all(this.followers.map((follower) => follower.stands()));
  }
}
