/** A run's events as Server-Sent Events (HTML Living Standard §9.2). */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { PING_MS, STREAM_HEADERS } from '../platform/http/server-sent-events.js';
import type { FollowedItem } from './reset-feed.js';

/**
 * Writes a feed to a response until it ends or the client goes away.
 *
 * Waits for the client to take what was written before it asks the feed for more, so a slow client costs no memory.
 *
 * @param headers further headers of the response
 */
export async function streamEvents(
  response: ServerResponse,
  feed: AsyncIterable<FollowedItem>,
  headers: Readonly<Record<string, number | string | string[] | undefined>> = {},
): Promise<void> {
  response.writeHead(200, { ...headers, ...STREAM_HEADERS });
  response.write(': stream of events\n\n');
  const ping = setInterval(() => response.write(': ping\n\n'), PING_MS);
  try {
    for await (const item of feed) {
      const frame = frameOf(item);
      if (frame !== undefined && !response.write(frame) && !(await drained(response))) return;
    }
  } finally {
    clearInterval(ping);
    response.end();
  }
}

/** A reset has no id: a client that comes back asks for what it asked for before, and is told again. */
function frameOf(item: FollowedItem): string | undefined {
  switch (item.kind) {
    case 'event': {
      const { event, text } = item.event;
      return `id: ${String(event.seq)}\nevent: ${event.type}\ndata: ${text}\n\n`;
    }
    case 'reset':
      return `event: reset\ndata: ${JSON.stringify(item.reset)}\n\n`;
    case 'delta':
      return undefined;
  }
}

/** Resolves when the client has taken what was written; false when it went away instead. */
async function drained(response: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  const close = (): void => {
    gone.abort();
  };
  response.once('close', close);
  try {
    await once(response, 'drain', { signal: gone.signal });
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', close);
  }
}
