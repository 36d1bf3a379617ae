/**
 * Values as events and the state keep them: themselves, or a reference to a blob where they are large.
 *
 * Decided here: what a reference is, how large a value may be. Decided elsewhere: which values of events may be
 * references (kept-in-events.ts), where contents are (engine/run-contents.ts), when one is loaded (advance.ts).
 */
import { failureOf } from '../../kernel/failure.js';
import { jsonSize } from '../../kernel/json-size.js';
import type { Json } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { runErrors } from './run.errors.js';

/** The largest input or output, in characters of its JSON text. */
export const MAX_VALUE_SIZE = 50 * 1_048_576;

/** About how long a reference is, in characters. */
const REFERENCE_SIZE = 100;

/** A reference as events have it. */
export interface BlobReference {
  /** SHA-256 of the JSON text, hexadecimal. */
  readonly hash: string;
  /** How long the JSON text is, in bytes of UTF-8. */
  readonly bytes: number;
}

/** A reference as the state has it: no JSON value is one. */
export class BlobRef implements BlobReference {
  private readonly isReference = true;

  constructor(
    readonly hash: string,
    readonly bytes: number,
  ) {}

  /** Whether a value that is kept is a reference. */
  static is(kept: Kept | undefined): kept is BlobRef {
    return kept instanceof BlobRef && kept.isReference;
  }
}

/** A value, or a reference to it. */
export type Kept = Json | BlobRef;

/** Where large values are. Pure to those who ask: the same value always becomes the same, and reads as it was. */
export interface Contents {
  /** The value. Of a reference whose content is not at hand null, and it is among the missing. */
  read(kept: Kept): Json;
  /** The value, or a reference where it is larger than `maxSize` characters of JSON text. */
  keep(value: Json, maxSize: number): Kept;
  /** References that were read in vain since this was asked before. */
  takeMissing(): readonly BlobRef[];
}

/** Keeps every value itself. */
export const ALL_INLINE: Contents = {
  read: (kept) => {
    if (BlobRef.is(kept)) throw new TypeError('there are no blobs here');
    return kept;
  },
  keep: (value) => value,
  takeMissing: () => [],
};

/** A value that is small enough to be kept; `value.too-large` otherwise. */
export function boundedValue(value: Json): Result<Json> {
  if (jsonSize(value, MAX_VALUE_SIZE) <= MAX_VALUE_SIZE) return ok(value);
  const message = `an input or output has at most ${MAX_VALUE_SIZE} characters of JSON text`;
  return fail(failureOf(runErrors['value.too-large'], message, { details: { maxSize: MAX_VALUE_SIZE } }));
}

/** About how much a kept value takes in the state, in characters. */
export function sizeOfKept(kept: Kept): number {
  return BlobRef.is(kept) ? REFERENCE_SIZE : jsonSize(kept);
}
