/**
 * The topics that this process listens to, and whether notes really arrive.
 *
 * Each topic is announced to all who send, again and again while anybody listens, and every announcement has to come
 * back here: that shows that the connections, and Redis between them, do what they should, also when none of them
 * has said otherwise. While nobody listens, nothing is sent.
 */
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { NoteInterest } from './note-interest.js';
import type { NoteWire } from './note-publisher.js';

/** Between two announcements while all is well. */
const ANNOUNCE_MS = 5_000;
/** How long an announcement may take to come back, and how often it is tried anew when it does not. */
const ECHO_MS = 1_000;
/** When nothing has come back for so long, connections count as dead though they do not say so, and are made anew. */
const DEAD_MS = 10_000;
/** How long a topic stays subscribed after the last listener has gone. */
const LINGER_MS = 10_000;

/** The topic on which topics are announced. */
const WANTED = 'wanted';

/** Gets what one other process sent of a topic at once, in lines. */
export type NoteListener = (lines: readonly string[]) => void;

export interface Ears extends NoteWire {
  readonly subscriber: Redis;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Topic {
  readonly listeners: Set<NoteListener>;
  /** When the last listener left. */
  idleFrom: number;
}

export class NoteSubscriptions {
  private readonly topics = new Map<string, Topic>();
  private readonly byChannel = new Map<string, string>();
  private readonly logger = new Logger('Redis');
  private readonly turnListeners = new Set<() => void>();
  readonly interest: NoteInterest;
  private timer: NodeJS.Timeout | undefined;
  private isFresh = false;
  private announcement = 0;
  /** Since when an announcement has not come back. */
  private unheardFrom: number | undefined;
  /** Whether Redis took the last announcement. */
  private isTaken = true;
  private isSure = false;
  private isClosed = false;

  constructor(private readonly ears: Ears) {
    this.interest = new NoteInterest(ears.now);
    this.byChannel.set(ears.channelOf(WANTED), WANTED);
    const { subscriber } = ears;
    subscriber.on('message', this.onMessage);
    subscriber.on('ready', this.onReady);
    subscriber.on('close', this.onClose);
    if (subscriber.status === 'ready') this.onReady();
  }

  /** Whether notes of all topics that are listened to arrive, as far as can be known. */
  get areSure(): boolean {
    return this.isSure;
  }

  /**
   * Calls back when it has become sure or unsure that notes arrive, and when new topics have become sure: those who
   * listen may have missed something before.
   *
   * @returns ends it
   */
  onTurn(listener: () => void): () => void {
    this.turnListeners.add(listener);
    return () => this.turnListeners.delete(listener);
  }

  /** Listens to a topic. @returns ends it */
  join(name: string, listener: NoteListener): () => void {
    const topic = this.topics.get(name) ?? this.open(name);
    topic.listeners.add(listener);
    return () => {
      topic.listeners.delete(listener);
      topic.idleFrom = this.ears.now();
    };
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    const { subscriber } = this.ears;
    subscriber.off('message', this.onMessage);
    subscriber.off('ready', this.onReady);
    subscriber.off('close', this.onClose);
  }

  private open(name: string): Topic {
    const topic: Topic = { listeners: new Set(), idleFrom: 0 };
    const channel = this.ears.channelOf(name);
    this.topics.set(name, topic);
    this.byChannel.set(channel, name);
    void this.subscribe([channel]);
    return topic;
  }

  /** Refused while there is no connection: taken up again when there is one. */
  private async subscribe(channels: readonly string[]): Promise<boolean> {
    try {
      await this.ears.subscriber.subscribe(...channels);
      this.isFresh = true;
      this.announceIn(0);
      return true;
    } catch {
      if (this.timer === undefined) this.announceIn(ECHO_MS);
      return false;
    }
  }

  private announceIn(delayMs: number): void {
    if (this.isClosed || this.topics.size === 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.announce(), delayMs).unref();
  }

  /** Says what is wanted here, and asks itself whether that was heard. Never rejects. */
  private async announce(): Promise<void> {
    const now = this.ears.now();
    const unheardMs = now - (this.unheardFrom ?? now);
    if (unheardMs >= ECHO_MS) this.unsure();
    if (unheardMs >= DEAD_MS) this.reconnect();
    this.leaveIdle(now - LINGER_MS);
    this.timer = undefined;
    if (this.topics.size === 0) return;
    this.announcement += 1;
    this.unheardFrom ??= now;
    this.announceIn(ECHO_MS);
    const { commands, channelOf, origin } = this.ears;
    const text = [origin, String(this.announcement), ...this.topics.keys()].join('\n');
    try {
      await commands.publish(channelOf(WANTED), text);
      this.isTaken = true;
    } catch {
      this.isTaken = false;
      this.unsure();
    }
  }

  /** The network, or a machine, may have gone without a word: such a connection would wait for hours. */
  private reconnect(): void {
    this.unheardFrom = undefined;
    const { commands, subscriber } = this.ears;
    if (subscriber.status === 'ready') subscriber.disconnect(true);
    if (!this.isTaken && commands.status === 'ready') commands.disconnect(true);
  }

  private leaveIdle(before: number): void {
    const idle = [...this.topics].filter(
      ([, topic]) => topic.listeners.size === 0 && topic.idleFrom < before,
    );
    const channels = idle.map(([name]) => this.ears.channelOf(name));
    for (const [name] of idle) this.topics.delete(name);
    for (const channel of channels) this.byChannel.delete(channel);
    if (channels.length > 0) this.ears.subscriber.unsubscribe(...channels).catch(() => undefined);
  }

  /** An announcement of this process came back. */
  private echo(announcement: number): void {
    if (announcement !== this.announcement) return;
    this.unheardFrom = undefined;
    this.announceIn(ANNOUNCE_MS);
    const isNews = this.isFresh || !this.isSure;
    this.isFresh = false;
    this.isSure = true;
    if (isNews) this.tellTurn();
  }

  private unsure(): void {
    if (!this.isSure) return;
    this.isSure = false;
    this.tellTurn();
  }

  private tellTurn(): void {
    for (const listener of this.turnListeners) listener();
  }

  private readonly onReady = (): void => {
    void this.subscribe([...this.byChannel.keys()]).then((isSubscribed) => {
      if (isSubscribed) this.interest.hearing();
    });
  };

  private readonly onClose = (): void => {
    this.interest.deaf();
    this.unsure();
  };

  private readonly onMessage = (channel: string, message: string): void => {
    const name = this.byChannel.get(channel);
    if (name === undefined) return;
    const [origin, ...lines] = message.split('\n');
    const isOwn = origin === this.ears.origin;
    if (name === WANTED) this.heardWanted(lines, isOwn);
    else if (!isOwn) this.hand(name, lines);
  };

  /** A note that cannot be read, of another release perhaps, is as good as lost. */
  private hand(name: string, lines: readonly string[]): void {
    try {
      for (const listener of this.topics.get(name)?.listeners ?? []) listener(lines);
    } catch (err) {
      this.logger.warn({ msg: 'A note from another process cannot be read', topic: name, err });
    }
  }

  private heardWanted([announcement, ...topics]: readonly string[], isOwn: boolean): void {
    if (isOwn) this.echo(Number(announcement));
    else this.interest.announced(topics);
  }
}
