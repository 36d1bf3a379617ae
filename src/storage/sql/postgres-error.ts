import { AppError, failureOf } from '../../kernel/failure.js';
import { storageErrors } from './storage.errors.js';

/**
 * SQLSTATE classes and codes (PostgreSQL manual, appendix A) that say that the server is in the way, not the
 * statement: connections, resources, an operator's shutdown, a lock that was not to be had in time, and a cluster that
 * is read-only after a failover.
 */
const UNAVAILABLE = /^(08|53|57P|58|25006|55P03|57014)/;

/** `disk_full`: for a table, or for the log of a server that ends its processes then and begins anew. */
const FULL = '53100';

/** The transaction was undone for the sake of another one; the same may succeed now. */
const UNDONE = new Set(['40001', '40P01']);

/** PostgreSQL keeps every character but one. */
const NO_SUCH_CHARACTER = '22021';

/**
 * What a failed statement rejects with: `store.full`, `store.unavailable`, `store.text-refused`, or the error itself
 * where the statement is at fault.
 */
export function postgresError(error: unknown): Error {
  if (AppError.is(error)) return error;
  const code = codeOf(error);
  if (code === NO_SUCH_CHARACTER) {
    return AppError.of(
      storageErrors['store.text-refused'],
      'Names, ids and other plain text may not hold the character U+0000 on PostgreSQL',
    );
  }
  if (code !== undefined && isSqlState(code) && !UNAVAILABLE.test(code)) return error as Error;
  const message = error instanceof Error && error.message !== '' ? error.message : (code ?? 'no connection');
  return new AppError(
    code === FULL
      ? failureOf(storageErrors['store.full'], `PostgreSQL: ${message}. Make room on its disk`)
      : failureOf(storageErrors['store.unavailable'], `PostgreSQL: ${message}`),
    error instanceof Error ? { cause: error } : undefined,
  );
}

/** True when nothing was written and the same transaction may be tried again at once. */
export function isUndone(error: unknown): boolean {
  return UNDONE.has(codeOf(error) ?? '');
}

/**
 * Five characters, as opposed to `ECONNREFUSED` and the like; no class of theirs begins with E, as `EPIPE` does.
 * Without any code the driver itself gave up.
 */
function isSqlState(code: string): boolean {
  return /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
