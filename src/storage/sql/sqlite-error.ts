/** What an error of SQLite means for whoever asked: the disk is full, the record is away, or the statement is at fault. */
import { AppError } from '../../kernel/failure.js';
import type { WireError } from './sqlite-protocol.js';
import { storageErrors } from './storage.errors.js';

/** There is no room: for what is written, or for the index of the write-ahead log. */
const FULL = ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'];

/** Codes that say that the machine is in the way, not the statement. The extended ones begin with these. */
const UNAVAILABLE = [
  'SQLITE_BUSY',
  'SQLITE_IOERR',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  'SQLITE_NOMEM',
  'SQLITE_PROTOCOL',
];

/** `store.full`, `store.unavailable`, or an error with SQLite's code. */
export function sqliteError({ code, message }: WireError): Error {
  const said = `SQLite: ${message}`;
  if (FULL.includes(code))
    return AppError.of(storageErrors['store.full'], `${said} (${code}). Make room on the disk`);
  if (UNAVAILABLE.some((prefix) => code.startsWith(prefix))) return sqliteUnavailable(`${said} (${code})`);
  return Object.assign(new Error(said), { code });
}

/** `store.unavailable` with a message. */
export function sqliteUnavailable(message: string): AppError {
  return AppError.of(storageErrors['store.unavailable'], message);
}
