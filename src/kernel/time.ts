/** Instants are milliseconds since the epoch inside and ISO 8601 UTC on the wire. */

let last = { instantMs: 0, text: '1970-01-01T00:00:00.000Z' };

/** ISO 8601 UTC text of an instant. Many events share one: the last text is kept. */
export function isoOf(instantMs: number): string {
  if (instantMs !== last.instantMs) last = { instantMs, text: new Date(instantMs).toISOString() };
  return last.text;
}

let lastRead = { text: '1970-01-01T00:00:00.000Z', instantMs: 0 };

/** The instant of an ISO 8601 text; NaN when it is none. Many events share one: the last instant is kept. */
export function instantOf(text: string): number {
  if (text !== lastRead.text) lastRead = { text, instantMs: Date.parse(text) };
  return lastRead.instantMs;
}
