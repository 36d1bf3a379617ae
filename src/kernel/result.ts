/**
 * A value or the reason why there is none.
 *
 * Domain functions answer with it instead of throwing; see ADR 0004.
 */
import type { Failure } from './failure.js';

export type Result<T, E = Failure> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: E };

/** Wraps a value that was found or computed. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps the reason why there is no value. */
export function fail<E>(failure: E): { readonly ok: false; readonly failure: E } {
  return { ok: false, failure };
}
