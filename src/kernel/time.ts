/** Instants are milliseconds since the epoch inside and ISO 8601 UTC on the wire. */

/** ISO 8601 UTC text of an instant. */
export function isoOf(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
