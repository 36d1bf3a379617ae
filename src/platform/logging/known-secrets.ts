/** Values of secrets that were in use lately, so that no log line shows them. */
const MAX_KNOWN = 1000;
/** Shorter text is no secret: it would be found everywhere. */
export const MIN_SECRET_LENGTH = 4;

const known = new Set<string>();

/** Keeps a value out of the log from now on; beyond 1,000 values the one unused for longest is forgotten. */
export function keepOutOfLogs(value: string): void {
  if (value.length < MIN_SECRET_LENGTH) return;
  known.delete(value);
  known.add(value);
  if (known.size <= MAX_KNOWN) return;
  const [oldest = ''] = known;
  known.delete(oldest);
}

/** The values to be kept out of the log. */
export function knownSecrets(): Iterable<string> {
  return known;
}
