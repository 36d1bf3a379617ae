import type { BeforeApplicationShutdown } from '@nestjs/common';

import {
  RunQueue,
  type HintSubscription,
  type HintTaker,
  type RunHint,
  type RunNote,
} from '../../runs/run.queue.js';
import { HintReceiver } from './hint-receiver.js';
import { HintSender } from './hint-sender.js';
import { NoteChannel } from './note-channel.js';
import type { RedisConnections } from './redis-connections.js';

/** How often takers look for themselves while Redis is away. */
const LOOK_MS = 1_000;

/** Hints over BullMQ, notes over a channel. What is sent while Redis is away is dropped. */
export class RedisRunQueue extends RunQueue implements BeforeApplicationShutdown {
  private readonly sender: HintSender;
  private readonly notes: NoteChannel;
  private readonly takers = new Set<HintTaker>();
  private readonly receivers: HintReceiver[] = [];
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly redis: RedisConnections) {
    super();
    this.notes = new NoteChannel(redis);
    this.sender = new HintSender(redis, this.tellMissed);
    redis.commands.on('close', this.isAway);
    redis.commands.on('ready', this.isBack);
  }

  override hint(hint: RunHint): void {
    this.sender.send(hint);
  }

  override note(note: RunNote): void {
    this.notes.send(note);
  }

  override consume(taker: HintTaker): HintSubscription {
    const own = onlyOf(taker);
    const receiver = new HintReceiver(this.redis, own, this.sender);
    this.receivers.push(receiver);
    this.takers.add(own);
    const stopListening = this.notes.listen((note) => {
      own.hear(note);
    });
    return {
      resume: () => {
        receiver.resume();
      },
      stop: () => {
        this.takers.delete(own);
        stopListening();
        receiver.stop();
      },
    };
  }

  /** What was sent on the way down still goes out; the connections are closed after that. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const receiver of this.receivers) receiver.stop();
    await Promise.all(this.receivers.map((receiver) => receiver.closed.promise));
    await this.sender.settled();
    clearInterval(this.looking);
    this.redis.commands.off('close', this.isAway).off('ready', this.isBack);
  }

  private readonly isAway = (): void => {
    this.looking ??= setInterval(this.tellMissed, LOOK_MS).unref();
  };

  private readonly isBack = (): void => {
    clearInterval(this.looking);
    this.looking = undefined;
    this.tellMissed();
  };

  private readonly tellMissed = (): void => {
    for (const taker of this.takers) taker.missed();
  };
}

/** A taker given twice is two, and each stops on its own. */
function onlyOf(taker: HintTaker): HintTaker {
  return {
    isOpen: () => taker.isOpen(),
    take: (hint) => taker.take(hint),
    missed: () => {
      taker.missed();
    },
    hear: (note) => {
      taker.hear(note);
    },
  };
}
