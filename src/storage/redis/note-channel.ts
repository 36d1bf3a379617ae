import type { RunNote } from '../../runs/run.queue.js';
import { hearChannel, type ChannelListener } from './heard-channel.js';
import type { RedisConnections } from './redis-connections.js';

/** Beyond this many that Redis has not confirmed a note is dropped. */
const MAX_UNDER_WAY = 1_000;

/** Notes to all processes, over one channel. */
export class NoteChannel implements ChannelListener {
  private readonly channel: string;
  private readonly listeners = new Set<(note: RunNote) => void>();
  private isHearing = false;
  private underWay = 0;

  constructor(private readonly redis: RedisConnections) {
    this.channel = redis.key('notes');
  }

  send(note: RunNote): void {
    const { commands } = this.redis;
    if (commands.status !== 'ready' || this.underWay >= MAX_UNDER_WAY) return;
    this.underWay += 1;
    commands
      .publish(this.channel, JSON.stringify(note))
      .catch(() => undefined)
      .finally(() => {
        this.underWay -= 1;
      });
  }

  /** @returns ends it */
  listen(listener: (note: RunNote) => void): () => void {
    if (!this.isHearing) hearChannel(this.redis.subscriber, this.channel, this);
    this.isHearing = true;
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  hear(text: string): void {
    const note = noteOf(text);
    if (note === undefined) return;
    for (const listener of this.listeners) listener(note);
  }
}

/** Undefined for what is no note: whoever may write to Redis can not end a process by it. */
function noteOf(text: string): RunNote | undefined {
  try {
    const note = JSON.parse(text) as RunNote | null;
    return typeof note === 'object' && note !== null ? note : undefined;
  } catch {
    return undefined;
  }
}
