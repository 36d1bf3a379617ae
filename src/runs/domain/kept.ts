/**
 * Values as events and the state keep them: themselves, or a reference to a blob where they are large.
 *
 * Decided here: which field of an event may be a reference, and how it reads. A reference stands in a field of its own
 * (`outputRef` beside `output`), so no value of a caller can be taken for one. Decided elsewhere: what is large, where
 * contents are (engine/run-contents.ts), when one is loaded (advance.ts).
 */
import { failureOf } from '../../kernel/failure.js';
import { jsonSize } from '../../kernel/json-size.js';
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { runErrors } from './run.errors.js';
import type { RunEvent } from './run.events.js';

/** The largest input or output, in characters of its JSON text. */
export const MAX_VALUE_SIZE = 50 * 1_048_576;

/** The largest value that stands in an event, in characters of its JSON text. */
const MAX_INLINE_SIZE = 16_384;

/** The same once a run keeps a lot; a reference is hardly shorter. */
const MAX_INLINE_SIZE_OF_LARGE_RUN = 256;

/** From here on a run keeps a lot, in characters. */
const LARGE_RUN_SIZE = 8 * 1_048_576;

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

/** The fields of events that may be references. */
type KeptField = 'input' | 'output' | 'body' | 'data';

/** A field with a value, or the field beside it with a reference. */
export type KeptAs<F extends KeptField> = { readonly [K in F]?: Json } & {
  readonly [K in `${F}Ref`]?: BlobReference;
};

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

/** A kept value as a field of an event. */
export function keptField<F extends KeptField>(field: F, kept: Kept): KeptAs<F> {
  const entry = BlobRef.is(kept)
    ? { [`${field}Ref`]: { hash: kept.hash, bytes: kept.bytes } }
    : { [field]: kept };
  return entry as KeptAs<F>;
}

/** What a field of an event keeps; undefined when it is not there. */
export function keptIn<F extends KeptField>(data: KeptAs<F>, field: F): Kept | undefined {
  const reference = data[`${field}Ref` as const] as BlobReference | undefined;
  if (reference !== undefined) return new BlobRef(reference.hash, reference.bytes);
  return data[field];
}

/** The field of each type of event that may be large. */
const FIELD_OF: ReadonlyMap<string, KeptField> = new Map<string, KeptField>([
  ...['step', 'item', 'iteration'].flatMap((role): [string, KeptField][] => [
    [`${role}.started`, 'input'],
    [`${role}.completed`, 'output'],
  ]),
  ['run.ending', 'output'],
  ['run.completed', 'output'],
  ['turn.completed', 'body'],
  ['tool.called', 'body'],
  ['signal.received', 'data'],
]);

/**
 * The event with a reference in place of a large value.
 *
 * @param size what the run keeps itself so far, in characters
 */
export function withReference(event: RunEvent, contents: Contents, size: number): RunEvent {
  const field = FIELD_OF.get(event.type);
  const value = field && (event.data as { readonly [K in KeptField]?: Json })[field];
  if (field === undefined || value === undefined) return event;
  const maxSize = size > LARGE_RUN_SIZE ? MAX_INLINE_SIZE_OF_LARGE_RUN : MAX_INLINE_SIZE;
  const kept = contents.keep(value, maxSize);
  if (!BlobRef.is(kept)) return event;
  const { [field]: _, ...rest } = event.data as { readonly [key: string]: Json };
  const data = { ...rest, ...keptField(field, kept), ...(event.type === 'turn.completed' && modelIn(value)) };
  return { ...event, data } as RunEvent;
}

/** Which model answered is told of a turn whatever its size. */
function modelIn(body: Json): { readonly model?: string } {
  const model = isJsonObject(body) ? getOwn(body, 'model') : undefined;
  return typeof model === 'string' ? { model } : {};
}

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

/** The references of an event: a value, and files. */
export function referencesIn({ type, data }: RunEvent): readonly BlobReference[] {
  const field = FIELD_OF.get(type);
  const kept = field === undefined ? undefined : keptIn(data as KeptAs<KeptField>, field);
  const files = (data as { readonly artifacts?: readonly BlobReference[] }).artifacts ?? [];
  return BlobRef.is(kept) ? [kept, ...files] : files;
}
