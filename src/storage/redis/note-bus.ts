/**
 * Notes between processes over publish and subscribe. A note may be lost; whoever depends on it looks by itself.
 *
 * Decided here: nothing. What is sent and when is in note-publisher.ts, what is heard in note-subscriptions.ts.
 */
import { randomUUID } from 'node:crypto';

import type { OnApplicationShutdown } from '@nestjs/common';

import type { Clock } from '../../platform/clock/clock.js';
import type { Note } from './note-outbox.js';
import { NotePublisher } from './note-publisher.js';
import { NoteSubscriptions, type NoteListener } from './note-subscriptions.js';
import type { RedisConnections } from './redis-connections.js';

export class NoteBus implements OnApplicationShutdown {
  private readonly publisher: NotePublisher;
  private readonly subscriptions: NoteSubscriptions;

  constructor(redis: RedisConnections, clock: Clock) {
    const { commands, subscriber } = redis;
    const channelOf = (topic: string): string => redis.key('notes', topic);
    const wire = { commands, channelOf, origin: randomUUID() };
    this.publisher = new NotePublisher(wire);
    this.subscriptions = new NoteSubscriptions({ ...wire, subscriber, now: () => clock.monotonic() });
  }

  /** Whether notes of all topics that are listened to arrive, as far as can be known. */
  get isSure(): boolean {
    return this.subscriptions.areSure;
  }

  /** Whether another process may be listening to a topic. */
  isWanted(topic: string): boolean {
    return this.subscriptions.interest.isWanted(topic);
  }

  /** Sends a note to all other processes that listen. Never throws, never waits. */
  publish(topic: string, note: Note): void {
    if (this.isWanted(topic)) this.publisher.publish(topic, note);
  }

  /** Listens to what other processes send. @returns ends it */
  join(topic: string, listener: NoteListener): () => void {
    return this.subscriptions.join(topic, listener);
  }

  /** Calls back when notes may have been missed, or may be from now on: see NoteSubscriptions. @returns ends it */
  onTurn(listener: () => void): () => void {
    return this.subscriptions.onTurn(listener);
  }

  onApplicationShutdown(): void {
    this.publisher.close();
    this.subscriptions.close();
  }
}
