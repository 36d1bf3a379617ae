/** What every stream of Server-Sent Events (HTML Living Standard §9.2) has alike. */
import type { IncomingHttpHeaders } from 'node:http';

/** How often a comment is sent, so that proxies keep an idle stream open. */
export const PING_MS = 15_000;

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  connection: 'keep-alive',
} as const;

/** Whether a request asks for a stream instead of one answer. */
export function wantsStream({ accept }: IncomingHttpHeaders): boolean {
  return accept?.includes('text/event-stream') === true;
}
