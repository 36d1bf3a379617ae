/**
 * The hot store over Redis: copies in this process, in front of values that all processes share.
 *
 * Decided here: when a copy may be served. One may while notes come, which a look at most a second ago has shown, and
 * otherwise for a second from when it was read. Decided elsewhere: what happens at one moment in Redis (hot-scripts.ts),
 * and whether Redis is a cache now (hot-notes.ts). While it is none, every `get` that finds no copy finds nothing.
 */
import { randomUUID } from 'node:crypto';

import type { OnApplicationShutdown } from '@nestjs/common';

import { BoundedMap } from '../../kernel/bounded-map.js';
import type { Clock } from '../../platform/clock/clock.js';
import { HotStore, type HotKey } from '../../platform/ports/hot.store.js';
import { HotNotes } from './hot-notes.js';
import { withHotScripts, type HotCommands } from './hot-scripts.js';
import type { RedisConnections } from './redis-connections.js';
import type { RedisReach } from './redis-reach.js';

/** Longer texts are not kept, in characters. */
const MAX_LENGTH = 1_048_576;

/** Copies in this process, and how long their texts are together, in characters. */
const COPIES = { entries: 10_000, weight: 16 * 1_048_576 };

/** For how long a copy is served without a sign that notes come. */
const UNHEARD_MS = 1_000;

/** After so long without a sign one is asked for, while copies are served. */
const ASK_AFTER_MS = 300;

/** How long somebody may take to load a value and keep it. */
const GAP_MS = 30_000;

interface Copy {
  readonly value: unknown;
  /** When it was asked for, on the monotonic clock. */
  readonly readAt: number;
  readonly until: number;
}

/** Leave to put a value where there is none: into the era in which that was seen. */
interface Gap {
  readonly token: string;
  readonly era: string;
}

/** A value in Redis, or a gap. */
type Found = { readonly json: string; readonly leftMs: number } | Gap;

export class RedisHotStore extends HotStore implements OnApplicationShutdown {
  override readonly isShared = true;
  private readonly copies = new BoundedMap<Copy>(COPIES);
  private readonly commands: HotCommands;
  private readonly notes: HotNotes;
  /** How often something was set or invalidated: what was read before is not copied after. */
  private changes = 0;

  constructor(
    private readonly connections: RedisConnections,
    private readonly reach: RedisReach,
    private readonly clock: Clock,
  ) {
    super();
    this.commands = withHotScripts(connections.commands);
    this.notes = new HotNotes({ connections, reach, clock, commands: this.commands }, this);
  }

  override async get<T>(key: HotKey): Promise<T | undefined> {
    const place = placeOf(key);
    const copy = this.findCopy(place);
    if (copy !== undefined) return copy as T;
    const { changes } = this;
    const readAt = this.clock.monotonic();
    const found = await this.find(place, '');
    if (found === undefined || 'token' in found) return undefined;
    return this.read(place, found, { changes, readAt }) as T;
  }

  override async fill<T>(
    key: HotKey,
    ttlMs: number,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const place = placeOf(key);
    const copy = this.findCopy(place);
    if (copy !== undefined) return copy as T;
    const { changes } = this;
    const readAt = this.clock.monotonic();
    const found = await this.find(place, randomUUID());
    if (found !== undefined && 'json' in found) return this.read(place, found, { changes, readAt }) as T;
    const value = await load();
    if (value === undefined || ttlMs < 1) return value;
    const json = JSON.stringify(value);
    if (json.length > MAX_LENGTH || !(await this.keep(place, found, json, ttlMs))) return value;
    if (changes === this.changes) this.copy(place, { value, readAt, until: readAt + ttlMs }, json.length);
    return value;
  }

  override async set(key: HotKey, value: unknown, ttlMs: number): Promise<void> {
    const place = placeOf(key);
    const json = JSON.stringify(value);
    this.forget(place);
    if (json.length > MAX_LENGTH || ttlMs < 1) return;
    const readAt = this.clock.monotonic();
    this.copy(place, { value, readAt, until: readAt + ttlMs }, json.length);
    const { era } = this.notes;
    if (era === undefined) return;
    await this.reach.ask((redis) =>
      redis.set(this.valueKey(place), `${era}:${json}`, 'PX', Math.floor(ttlMs)),
    );
  }

  override async invalidate(key: HotKey): Promise<void> {
    const place = placeOf(key);
    this.forget(place);
    await this.notes.tellForgotten(place, this.valueKey(place), this.gapKey(place));
  }

  /** A value was invalidated, here or elsewhere. */
  forget(place: string): void {
    this.changes += 1;
    this.copies.delete(place);
  }

  /** Nothing that was copied holds. */
  forgetAll(): void {
    this.changes += 1;
    this.copies.clear();
  }

  onApplicationShutdown(): void {
    this.notes.end();
  }

  private findCopy(place: string): unknown {
    const copy = this.copies.get(place);
    if (copy === undefined) return undefined;
    const now = this.clock.monotonic();
    if (now >= copy.until) return undefined;
    const unheardMs = now - Math.max(copy.readAt, this.notes.heardUpTo);
    if (unheardMs > ASK_AFTER_MS) this.notes.prove();
    return unheardMs < UNHEARD_MS ? copy.value : undefined;
  }

  /** Undefined when Redis is no cache now, or gives no answer. */
  private async find(place: string, token: string): Promise<Found | undefined> {
    const { era } = this.notes;
    if (era === undefined) return undefined;
    const found = await this.reach.ask(() =>
      this.commands.hotFind(this.valueKey(place), this.gapKey(place), era, token, GAP_MS),
    );
    // An invalidation that did not reach Redis meanwhile has ended the era.
    if (found === undefined || era !== this.notes.era) return undefined;
    const [json] = found;
    return json === null ? { token: found[1], era } : { json, leftMs: found[1] };
  }

  /** False when the value was invalidated since it was loaded. Where no gap was seen nobody but this process keeps it. */
  private async keep(place: string, gap: Gap | undefined, json: string, ttlMs: number): Promise<boolean> {
    if (gap === undefined) return true;
    const { token, era } = gap;
    const kept = await this.reach.ask(() =>
      this.commands.hotFill(
        this.valueKey(place),
        this.gapKey(place),
        token,
        `${era}:${json}`,
        Math.floor(ttlMs),
      ),
    );
    return kept !== 0;
  }

  private read(
    place: string,
    { json, leftMs }: { readonly json: string; readonly leftMs: number },
    { changes, readAt }: { readonly changes: number; readonly readAt: number },
  ): unknown {
    const value: unknown = JSON.parse(json);
    if (changes === this.changes) this.copy(place, { value, readAt, until: readAt + leftMs }, json.length);
    return value;
  }

  private copy(place: string, copy: Copy, length: number): void {
    this.copies.set(place, copy, length);
  }

  private valueKey(place: string): string {
    return this.connections.key('hot', place);
  }

  private gapKey(place: string): string {
    return this.connections.key('hot-gap', place);
  }
}

/**
 * Where something is kept: namespace and area hold no colon, so no two things share a place. In braces, because what is
 * kept in one place must be in one slot of a cluster.
 */
function placeOf({ namespace, area, id }: HotKey): string {
  return `{${namespace}:${area}:${id}}`;
}
