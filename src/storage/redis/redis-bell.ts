/**
 * Rings over one channel of Redis.
 *
 * Listeners of the ringing process are called without the detour. Whenever this process comes to hear others, all of
 * its listeners are called: what was rung before is not known.
 */
import { randomUUID } from 'node:crypto';

import { RingListeners } from '../../platform/duties/ring-listeners.js';
import { Bell, type BellReach, type RingListener } from '../../platform/ports/bell.js';
import { hearChannel, type ChannelListener } from './heard-channel.js';
import type { RedisConnections } from './redis-connections.js';

export class RedisBell extends Bell implements ChannelListener {
  private readonly origin = randomUUID();
  private readonly channel: string;
  private readonly local = new RingListeners();
  private isSubscribed = false;

  constructor(private readonly redis: Pick<RedisConnections, 'commands' | 'subscriber' | 'key'>) {
    super();
    this.channel = redis.key('bell');
    hearChannel(redis.subscriber, this.channel, this);
  }

  override get reach(): BellReach {
    return this.isSubscribed ? 'most' : 'none';
  }

  override ring(name: string, about: string): void {
    this.local.call(name, about);
    // Lost while Redis is away, which is what a ring may be.
    this.redis.commands
      .publish(this.channel, JSON.stringify([this.origin, name, about]))
      .catch(() => undefined);
  }

  override onRing(name: string, listener: RingListener): () => void {
    return this.local.add(name, listener);
  }

  joined(): void {
    this.isSubscribed = true;
    this.local.callAll();
  }

  left(): void {
    this.isSubscribed = false;
  }

  hear(message: string): void {
    const ring = ringOf(message);
    if (ring !== undefined && ring.origin !== this.origin) this.local.call(ring.name, ring.about);
  }
}

/** Undefined for what another version of the service may say. */
function ringOf(
  message: string,
): { readonly origin: string; readonly name: string; readonly about: string } | undefined {
  try {
    const parts: unknown = JSON.parse(message);
    if (!Array.isArray(parts)) return undefined;
    const [origin, name, about] = parts as unknown[];
    const isRing = typeof origin === 'string' && typeof name === 'string' && typeof about === 'string';
    return isRing ? { origin, name, about } : undefined;
  } catch {
    return undefined;
  }
}
