/**
 * Cursor pages: `{ items, nextCursor }`.
 *
 * A cursor is the sort key of the last item, in base64url. It is not a secret and carries no authority: whoever
 * reads a page is checked again.
 */
export interface PageRequest {
  /** How many items at most, 1 to 200. @default 50 */
  readonly limit: number;
  /** Where the page before ended; absent for the first page. */
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export const DEFAULT_PAGE_LIMIT = 50;
export const MAX_PAGE_LIMIT = 200;

/**
 * Cuts a page out of up to `limit + 1` items read.
 *
 * @param items what was read, in order, one more than asked where there is one
 * @param keyOf the sort key of an item
 */
export function pageOf<T>(items: readonly T[], limit: number, keyOf: (item: T) => string): Page<T> {
  if (items.length <= limit) return { items };
  const kept = items.slice(0, limit);
  const last = kept.at(-1);
  return last === undefined ? { items: kept } : { items: kept, nextCursor: encodeCursor(keyOf(last)) };
}

/** A cursor for a sort key. */
export function encodeCursor(key: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(key)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The sort key of a cursor, or undefined when the text is not one of ours. */
export function decodeCursor(cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]{1,512}$/.test(cursor)) return undefined;
  try {
    const bytes = Uint8Array.from(
      atob(cursor.replaceAll('-', '+').replaceAll('_', '/')),
      (char) => char.codePointAt(0) ?? 0,
    );
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The offset in a cursor of a list that is read from memory, in order; 0 when there is none. */
export function offsetOf(cursor: string | undefined): number {
  const offset = cursor === undefined ? 0 : Number(decodeCursor(cursor));
  return Number.isSafeInteger(offset) && offset > 0 ? offset : 0;
}
