import { AppError } from '../../kernel/failure.js';

/** What stores reject with while the record can not be reached, or has no room. */
const CODES: ReadonlySet<string> = new Set(['store.unavailable', 'store.full']);

/** Whether the record is in the way, and not what was asked of it: the same may succeed later. */
export function isRecordAway(error: unknown): boolean {
  return AppError.is(error) && CODES.has(error.failure.code);
}
