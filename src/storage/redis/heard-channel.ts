import type { Redis } from 'ioredis';

/** Who listens to a channel. */
export interface ChannelListener {
  hear(text: string): void;
  /** What comes from now on is heard; what came before is not known. */
  joined?(): void;
  /** Nothing is heard any more. */
  left?(): void;
}

/** Listens to one channel for as long as the process lives, whenever there is a connection. */
export function hearChannel(subscriber: Redis, name: string, listener: ChannelListener): void {
  const join = async (): Promise<void> => {
    try {
      await subscriber.subscribe(name);
    } catch {
      return; // the connection is lost again; the next one begins with this
    }
    listener.joined?.();
  };
  subscriber.on('message', (channel: string, text: string) => {
    if (channel === name) listener.hear(text);
  });
  subscriber.on('close', () => listener.left?.());
  subscriber.on('ready', () => void join());
  if (subscriber.status === 'ready') void join();
}
