/** What two JSON values differ in, place by place. */
import { canonicalJson, getOwn, isJsonObject, pointerToken, type Json } from '../../kernel/json.js';

/** One place at which two values differ. */
export interface JsonChange {
  /** JSON Pointer of the place. */
  readonly pointer: string;
  /** What was there; absent where there was nothing. */
  readonly before?: Json;
  /** What is there now; absent where there is nothing. */
  readonly after?: Json;
}

/** The places at which two values differ, at most `limit`. Lists are compared as a whole. */
export function changesBetween(before: Json, after: Json, limit: number): readonly JsonChange[] {
  const changes: JsonChange[] = [];
  compare({ pointer: '', before, after });
  return changes;

  function compare(place: JsonChange): void {
    if (changes.length >= limit) return;
    const { pointer, before: was, after: is } = place;
    if (was !== undefined && is !== undefined) {
      if (canonicalJson(was) === canonicalJson(is)) return;
      if (isJsonObject(was) && isJsonObject(is)) {
        for (const key of new Set([...Object.keys(was), ...Object.keys(is)]))
          compare(placeOf(`${pointer}/${pointerToken(key)}`, getOwn(was, key), getOwn(is, key)));
        return;
      }
    }
    changes.push(place);
  }
}

function placeOf(pointer: string, before: Json | undefined, after: Json | undefined): JsonChange {
  return {
    pointer,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  };
}
