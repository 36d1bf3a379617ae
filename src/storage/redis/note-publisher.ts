/**
 * Sends notes: what came up within a tick goes together, and one batch at a time.
 *
 * Decided here: that nobody waits for it, and that nothing is sent to a Redis that does not answer. Decided elsewhere:
 * what is kept meanwhile (note-outbox.ts).
 */
import type { Redis } from 'ioredis';

import { NoteOutbox, type Note, type NoteBatch } from './note-outbox.js';

/** From a batch that did not arrive to the next question whether Redis answers. */
const ASK_AGAIN_MS = 1_000;

export interface NoteWire {
  readonly commands: Redis;
  /** The channel of a topic. */
  readonly channelOf: (topic: string) => string;
  /** What messages of this process begin with. */
  readonly origin: string;
}

export class NotePublisher {
  private readonly outbox = new NoteOutbox();
  private isSending = false;
  private isAway = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly wire: NoteWire) {}

  /** Never throws, never waits. */
  publish(topic: string, note: Note): void {
    if (this.isClosed) return;
    this.outbox.put(topic, note, this.isAway || this.wire.commands.status !== 'ready');
    if (this.isSending || this.timer !== undefined) return;
    this.isSending = true;
    setImmediate(() => void this.sendAll());
  }

  /** Drops what waits. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** Never rejects. */
  private async sendAll(): Promise<void> {
    if (this.isAway) this.isAway = !(await this.isAnswering());
    while (!this.isAway && !this.isClosed && !this.outbox.isEmpty) {
      const batch = this.outbox.take();
      this.isAway = !(await this.hasArrived(batch));
      if (this.isAway) this.outbox.putBack(batch);
    }
    this.isSending = false;
    if (this.isAway && !this.isClosed) this.askLater();
  }

  private askLater(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.isSending = true;
      void this.sendAll();
    }, ASK_AGAIN_MS).unref();
  }

  private async hasArrived({ messages }: NoteBatch): Promise<boolean> {
    const { commands, channelOf, origin } = this.wire;
    const pipeline = commands.pipeline();
    for (const [topic, text] of messages) pipeline.publish(channelOf(topic), `${origin}\n${text}`);
    try {
      const results = (await pipeline.exec()) ?? [];
      return results.every(([error]) => error === null);
    } catch {
      return false;
    }
  }

  private async isAnswering(): Promise<boolean> {
    try {
      await this.wire.commands.ping();
      return true;
    } catch {
      return false;
    }
  }
}
