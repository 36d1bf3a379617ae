/**
 * The fields of events that may be references.
 *
 * Decided here: which, from what size on, and how they read. A reference stands in a field of its own (`outputRef`
 * beside `output`), so no value of a caller can be taken for one.
 */
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';
import { BlobRef, type BlobReference, type Contents, type Kept } from './kept.js';
import type { RunEvent } from './run.events.js';

/** The largest value that stands in an event, in characters of its JSON text. */
const MAX_INLINE_SIZE = 16_384;

/** The same once a run keeps a lot; a reference is hardly shorter. */
const MAX_INLINE_SIZE_OF_LARGE_RUN = 256;

/** From here on a run keeps a lot, in characters. */
const LARGE_RUN_SIZE = 8 * 1_048_576;

/** The fields of events that may be references. */
type KeptField = 'input' | 'output' | 'body' | 'data';

/** A field with a value, or the field beside it with a reference. */
export type KeptAs<F extends KeptField> = { readonly [K in F]?: Json } & {
  readonly [K in `${F}Ref`]?: BlobReference;
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

/** The references of an event: a value, and files. */
export function referencesIn({ type, data }: RunEvent): readonly BlobReference[] {
  const field = FIELD_OF.get(type);
  const kept = field === undefined ? undefined : keptIn(data as KeptAs<KeptField>, field);
  const files = (data as { readonly artifacts?: readonly BlobReference[] }).artifacts ?? [];
  return BlobRef.is(kept) ? [kept, ...files] : files;
}
