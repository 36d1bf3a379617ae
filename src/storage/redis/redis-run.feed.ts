/**
 * The feed across processes: within each as if it were the only one, and notes between them of what was published.
 *
 * A note wakes, it does not prove: followers go by numbers, and what was not told is found in the record
 * (feed-looks.ts). So streams go on while Redis is away.
 */
import type { OnApplicationShutdown } from '@nestjs/common';

import type { EncodedEvent } from '../../runs/domain/run.events.js';
import { RunFeed, type Delta, type FeedItem, type FollowOptions } from '../../runs/run.feed.js';
import { InProcessRunFeed } from '../memory/in-process-run.feed.js';
import { FeedBell } from './feed-bell.js';
import { FeedLooks, type LookedAt } from './feed-looks.js';
import {
  noteOfChange,
  noteOfDelta,
  noteOfEvents,
  readRunNotes,
  topicOfChanges,
  topicOfRun,
  type RunNote,
} from './feed-notes.js';
import { JoinedTopics } from './joined-topics.js';
import type { NoteBus } from './note-bus.js';

export class RedisRunFeed extends RunFeed implements OnApplicationShutdown {
  private readonly local: InProcessRunFeed;
  private readonly looks: FeedLooks;
  private readonly topics: JoinedTopics;
  private readonly bell: FeedBell;
  private listenerCount = 0;

  constructor(
    record: LookedAt,
    private readonly bus: NoteBus,
  ) {
    super();
    this.topics = new JoinedTopics(bus);
    this.local = new InProcessRunFeed(record.runs, undefined, {
      runs: { come: this.followed, gone: (runId) => this.topics.gone(topicOfRun(runId)) },
      namespaces: { come: this.watched, gone: this.unwatched },
    });
    this.looks = new FeedLooks(record, this.local, bus);
    this.bell = new FeedBell(bus, () => {
      this.hint();
    });
    bus.onTurn(() => {
      this.looks.lookSoon();
    });
  }

  /** How many followers there are in this process. */
  get followerCount(): number {
    return this.local.followerCount;
  }

  override follow(options: FollowOptions): AsyncIterable<FeedItem> {
    return this.local.follow(options);
  }

  override watch(namespace: string, signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    return this.local.watch(namespace, signal);
  }

  override publish(namespace: string, runId: string, events: readonly EncodedEvent[]): void {
    this.local.publish(namespace, runId, events);
    this.hint();
    this.bell.ring();
    const [runs, changes] = [topicOfRun(runId), topicOfChanges(namespace)];
    if (this.bus.isWanted(runs)) this.bus.publish(runs, noteOfEvents(runId, events));
    if (this.bus.isWanted(changes)) this.bus.publish(changes, noteOfChange(runId));
  }

  override publishDelta(delta: Delta): void {
    this.local.publishDelta(delta);
    const topic = topicOfRun(delta.runId);
    if (this.bus.isWanted(topic)) this.bus.publish(topic, noteOfDelta(delta));
  }

  override onPublish(listener: () => void): () => void {
    const end = super.onPublish(listener);
    this.listenerCount += 1;
    if (this.listenerCount === 1) this.bell.open();
    let isOver = false;
    return () => {
      end();
      if (isOver) return;
      isOver = true;
      this.listenerCount -= 1;
      if (this.listenerCount === 0) this.bell.close();
    };
  }

  onApplicationShutdown(): void {
    this.looks.close();
    this.bell.close();
  }

  private readonly followed = (runId: string): void => {
    this.topics.come(topicOfRun(runId), (lines) => {
      for (const note of readRunNotes(lines, (id) => this.local.isFollowed(id))) this.take(note);
    });
    this.looks.followed();
  };

  private readonly watched = (namespace: string): void => {
    this.topics.come(topicOfChanges(namespace), (runIds) => {
      for (const runId of runIds) this.local.changed(namespace, runId);
    });
    this.looks.watched(namespace);
  };

  private readonly unwatched = (namespace: string): void => {
    this.topics.gone(topicOfChanges(namespace));
    this.looks.unwatched(namespace);
  };

  private take(note: RunNote): void {
    if (note.kind === 'delta') this.local.publishDelta(note.delta);
    else if (note.kind === 'look') this.local.tell(note.runId, note.lastSeq);
    else this.local.deliver(note.runId, note.events);
  }
}
