import { Logger } from '@nestjs/common';

import { InProcessRunFeed } from '../storage/memory/in-process-run.feed.js';
import { aRun } from '../../test/support/a-run.js';
import { memoryStores } from '../../test/support/memory-stores.js';
import { until } from '../../test/support/until.js';
import { LogFollower, type FollowPace, type LogConsumer } from './log-follower.js';
import type { LogPage } from './run.log.js';

const PACE: FollowPace = { pageSize: 2, gatherMs: 1, settleMs: 2, pauseMs: 1, maxPauseMs: 4 };

/** Notes what it takes, and refuses as often as it was told to. */
class NotingConsumer implements LogConsumer {
  readonly name = 'test';
  readonly taken: string[] = [];
  reads = 0;
  refusals = 0;
  private reached = '';

  cursor(): Promise<string> {
    this.reads += 1;
    return Promise.resolve(this.reached);
  }

  take(from: string, page: LogPage): Promise<void> {
    expect(from).toBe(this.reached);
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new Error('not now'));
    }
    this.taken.push(...page.entries.map(({ event }) => event.event.runId));
    this.reached = page.cursor;
    return Promise.resolve();
  }
}

function scene() {
  const stores = memoryStores();
  const feed = new InProcessRunFeed(stores.runs);
  const consumer = new NotingConsumer();
  const logger = new Logger('test');
  const warn = jest.spyOn(logger, 'warn').mockImplementation();
  const follower = new LogFollower({ log: stores.log, feed, logger }, consumer, PACE);
  const write = async (isHinted: boolean): Promise<string> => {
    const run = aRun();
    await stores.runs.create({ run });
    if (isHinted) feed.publish('default', run.id, run.events);
    return run.id;
  };
  return { follower, consumer, write, warn };
}

describe('LogFollower', () => {
  it('takes what is there when it starts, in order, and then what is published', async () => {
    const { follower, consumer, write } = scene();
    const ids = [await write(false), await write(false), await write(false)];

    follower.start();
    await until(() => consumer.taken.length === 3, 'the log is read');
    ids.push(await write(true));
    await until(() => consumer.taken.length === 4, 'what was published is read');
    await follower.stop();

    expect(consumer.taken).toEqual(ids);
  });

  it('tries a page again until it is taken, and says so', async () => {
    const { follower, consumer, write, warn } = scene();
    const id = await write(false);
    consumer.refusals = 5;

    follower.start();
    await until(() => consumer.taken.length === 1, 'the page is taken');
    await follower.stop();

    expect(consumer.taken).toEqual([id]);
    expect(warn).toHaveBeenCalledTimes(5);
  });

  it('looks again at the end of the log for what was hidden then', async () => {
    const { follower, consumer, write } = scene();
    follower.start();
    await until(() => consumer.reads === 1, 'the end is found', 10_000, 0);
    const id = await write(false);
    await until(() => consumer.taken.length === 1, 'another look finds it');
    await follower.stop();

    expect(consumer.taken).toEqual([id]);
  });

  it('takes nothing once it has stopped, and goes on when it is started again', async () => {
    const { follower, consumer, write } = scene();
    follower.start();
    await follower.stop();
    const id = await write(true);
    expect(consumer.taken).toEqual([]);

    follower.start();
    await until(() => consumer.taken.length === 1, 'it goes on');
    await follower.stop();

    expect(consumer.taken).toEqual([id]);
  });

  it('looks when it is asked to, and not once it has stopped', async () => {
    const { follower, consumer, write } = scene();
    follower.start();
    await until(() => consumer.reads === 3, 'it rests'); // the first look, and two more at the end
    const id = await write(false);
    follower.look();
    await until(() => consumer.taken.length === 1, 'it has read on');
    await follower.stop();
    const { reads } = consumer;
    await write(false);
    follower.look();

    expect(consumer.taken).toEqual([id]);
    expect(consumer.reads).toBe(reads);
  });

  it('says where its consumer stands, which another process may have moved while it is stopped', async () => {
    const { follower, consumer } = scene();
    const forgot: string[] = [];
    const elsewhere = Object.assign(consumer, {
      peek: () => Promise.resolve('moved elsewhere'),
      forget: () => forgot.push('forgot'),
    });

    expect(await follower.stands()).toBe('moved elsewhere');
    expect(forgot).toEqual([]);
    follower.start();
    expect(forgot).toEqual(['forgot']);
    expect(await follower.stands()).toBe(await elsewhere.cursor());
    await follower.stop();
    expect(await follower.stands()).toBe('moved elsewhere');
  });
});
