/**
 * What the processes tell each other about the hot store: that a value is no more, or that none of before is.
 *
 * Decided here: when Redis may be used as a cache at all. A process that was away from it may have missed notes, and may
 * not have got rid of something; it comes back by beginning a new era, of which no value exists yet. Decided
 * elsewhere: what is done with a note (redis-hot.store.ts).
 */
import type { Clock } from '../../platform/clock/clock.js';
import type { HotCommands } from './hot-scripts.js';
import type { RedisConnections } from './redis-connections.js';
import { LATE, within, type RedisReach } from './redis-reach.js';

/** What notes begin with: the rest is the place of a value, or an era. */
const VALUE = 'v';
const ERA = 'g';

const JOIN_AGAIN_MS = 500;
const PATIENCE_MS = 1_000;

/** What the notes are made from. */
export interface HotNoteTools {
  readonly connections: RedisConnections;
  readonly reach: RedisReach;
  readonly commands: HotCommands;
  readonly clock: Clock;
}

/** Who wants to know. */
export interface HotListener {
  /** A value was invalidated somewhere. */
  forget(place: string): void;
  /** Nothing that was known holds. */
  forgetAll(): void;
}

export class HotNotes {
  private readonly channel: string;
  private readonly eraKey: string;
  private known: string | undefined;
  /** The era of the last note that came while this process joined. */
  private told: string | undefined;
  private mayHaveMissed = false;
  private isJoining = false;
  private isProving = false;
  private hasEnded = false;
  /** Raised when the connection is lost: what was asked before proves nothing. */
  private session = 0;
  private again: NodeJS.Timeout | undefined;
  private heard = -Infinity;

  constructor(
    private readonly tools: HotNoteTools,
    private readonly listener: HotListener,
  ) {
    const { connections } = tools;
    this.channel = connections.key('hot-notes');
    this.eraKey = connections.key('hot-era');
    for (const connection of [connections.commands, connections.subscriber]) {
      connection.on('ready', () => void this.join());
      connection.on('close', () => {
        this.leave();
      });
    }
    connections.subscriber.on('message', (channel: string, note: string) => {
      if (channel === this.channel) this.hear(note);
    });
    void this.join();
  }

  /** The era that values must be of; undefined while Redis is no cache. */
  get era(): string | undefined {
    return this.known;
  }

  /** Every note of before this instant of the monotonic clock was heard. */
  get heardUpTo(): number {
    return this.heard;
  }

  /** Forgets a value on every process; where that may have failed, all values. */
  async tellForgotten(place: string, valueKey: string, gapKey: string): Promise<void> {
    const { reach, commands } = this.tools;
    const told = await reach.ask(() => commands.hotForget(valueKey, gapKey, this.channel, VALUE + place));
    if (told === undefined) this.leave();
  }

  /** Asks, in the background, whether notes still come. Notes are in order, so an answer stands for all before it. */
  prove(): void {
    if (this.isProving || this.known === undefined) return;
    const { connections, clock } = this.tools;
    const { session } = this;
    const askedAt = clock.monotonic();
    this.isProving = true;
    connections.subscriber.ping().then(
      () => {
        if (session !== this.session) return;
        this.isProving = false;
        this.heard = askedAt;
      },
      () => {
        if (session === this.session) this.isProving = false;
      },
    );
  }

  end(): void {
    this.hasEnded = true;
    clearTimeout(this.again);
  }

  private hear(note: string): void {
    const about = note.slice(1);
    if (note.startsWith(VALUE)) this.listener.forget(about);
    if (!note.startsWith(ERA)) return;
    this.told = about;
    if (this.known === undefined) return;
    this.known = about;
    this.listener.forgetAll();
  }

  /** Nothing in Redis may be believed from here on. */
  private leave(): void {
    this.known = undefined;
    this.heard = -Infinity;
    this.mayHaveMissed = true;
    this.isProving = false;
    this.session += 1;
    this.joinLater();
  }

  private joinLater(): void {
    if (this.hasEnded || this.again !== undefined) return;
    this.again = setTimeout(() => {
      this.again = undefined;
      void this.join();
    }, JOIN_AGAIN_MS).unref();
  }

  private async join(): Promise<void> {
    if (this.isJoining || this.hasEnded || this.known !== undefined) return;
    if (!this.isConnected()) {
      this.joinLater();
      return;
    }
    this.isJoining = true;
    const { session } = this;
    this.told = undefined;
    const era = await this.agree();
    this.isJoining = false;
    if (era === undefined || session !== this.session) this.joinLater();
    else {
      this.mayHaveMissed = false;
      this.known = later(era, this.told);
      this.listener.forgetAll();
    }
  }

  /** Listens, and then asks for the era, or begins one. */
  private async agree(): Promise<string | undefined> {
    const { connections, reach, commands } = this.tools;
    const which = this.mayHaveMissed ? 'new' : 'any';
    try {
      const subscribed = await within(connections.subscriber.subscribe(this.channel), PATIENCE_MS);
      if (subscribed === LATE) return undefined;
    } catch {
      return undefined;
    }
    return reach.ask(() => commands.hotEra(this.eraKey, this.channel, ERA, which));
  }

  private isConnected(): boolean {
    const { connections, reach } = this.tools;
    return reach.isOpen && connections.subscriber.status === 'ready';
  }
}

function later(one: string, other: string | undefined): string {
  return other !== undefined && Number(other) > Number(one) ? other : one;
}
