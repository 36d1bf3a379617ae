/**
 * JSON Merge Patch (RFC 7396): null removes a key, objects are merged key by key, everything else replaces.
 *
 * Nothing is changed in place. Own keys only, whatever their names.
 */
import { getOwn, isJsonObject, setOwn, type Json, type JsonObject } from '../../kernel/json.js';

/** An object after a patch. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = {};
  for (const key of Object.keys(target)) setOwn(merged, key, getOwn(target, key));
  for (const key of Object.keys(patch)) {
    const value = getOwn(patch, key) ?? null;
    if (value === null) Reflect.deleteProperty(merged, key);
    else setOwn(merged, key, patched(getOwn(target, key), value));
  }
  return merged;
}

/** What a value becomes; a null inside a new object removes what is not there, so it is left out. */
function patched(present: Json | undefined, value: Json): Json {
  if (!isJsonObject(value)) return value;
  return mergePatch(present !== undefined && isJsonObject(present) ? present : {}, value);
}
