/**
 * What changed between two definitions.
 *
 * Decided here: steps are the same when their ids are; everything else is compared by its place. Decided elsewhere:
 * which versions are compared (stored-workflow.service.ts).
 */
import {
  canonicalJson,
  getOwn,
  isJsonObject,
  pointerToken,
  type Json,
  type JsonObject,
} from '../../kernel/json.js';

/** One value that was added, removed or changed. */
export interface FieldChange {
  readonly op: 'added' | 'removed' | 'changed';
  /** JSON Pointer in the newer definition; in the older one for what was removed. */
  readonly pointer: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** A step that only one of the definitions has. */
export interface StepPlace {
  readonly id: string;
  readonly pointer: string;
}

/** A step of both definitions that says something else. */
export interface ChangedStep extends StepPlace {
  readonly changes: readonly FieldChange[];
}

export interface DefinitionDiff {
  readonly steps: {
    readonly added: readonly StepPlace[];
    readonly removed: readonly StepPlace[];
    readonly changed: readonly ChangedStep[];
    /** Whether steps of both stand in another order. */
    readonly isReordered: boolean;
  };
  /** Changes beside the steps. */
  readonly fields: readonly FieldChange[];
}

type Indexed = ReadonlyMap<string, { readonly step: JsonObject; readonly pointer: string }>;

/** The difference of two valid definitions; empty lists when they say the same. Linear in their sizes. */
export function diffDefinitions(before: JsonObject, after: JsonObject): DefinitionDiff {
  const old = stepsById(before);
  const present = stepsById(after);
  const kept = [...present.keys()].filter((id) => old.has(id));
  return {
    steps: {
      added: placesOf(present, old),
      removed: placesOf(old, present),
      changed: kept.flatMap((id) => changedStep(id, old, present)),
      isReordered: [...old.keys()].filter((id) => present.has(id)).some((id, index) => kept[index] !== id),
    },
    fields: membersOf(before, after, '').filter(({ pointer }) => !/^\/steps(\/|$)/.test(pointer)),
  };
}

function changedStep(id: string, old: Indexed, present: Indexed): readonly ChangedStep[] {
  const before = old.get(id);
  const after = present.get(id);
  if (before === undefined || after === undefined) return [];
  const { pointer } = after;
  const changes = membersOf(before.step, after.step, pointer);
  return changes.length === 0 ? [] : [{ id, pointer, changes }];
}

function stepsById(definition: JsonObject): Indexed {
  const steps = getOwn(definition, 'steps');
  const entries = (Array.isArray(steps) ? (steps as readonly Json[]) : []).flatMap((step, index) => {
    const id = isJsonObject(step) ? getOwn(step, 'id') : undefined;
    return isJsonObject(step) && typeof id === 'string'
      ? [[id, { step, pointer: `/steps/${index}` }] as const]
      : [];
  });
  return new Map(entries);
}

function placesOf(here: Indexed, there: Indexed): readonly StepPlace[] {
  return [...here].flatMap(([id, { pointer }]) => (there.has(id) ? [] : [{ id, pointer }]));
}

function compare(before: Json | undefined, after: Json | undefined, pointer: string): readonly FieldChange[] {
  if (before === undefined) return after === undefined ? [] : [{ op: 'added', pointer, to: after }];
  if (after === undefined) return [{ op: 'removed', pointer, from: before }];
  if (isJsonObject(before) && isJsonObject(after)) return membersOf(before, after, pointer);
  if (Array.isArray(before) && Array.isArray(after)) return elementsOf(before, after, pointer);
  return canonicalJson(before) === canonicalJson(after)
    ? []
    : [{ op: 'changed', pointer, from: before, to: after }];
}

function membersOf(before: JsonObject, after: JsonObject, pointer: string): readonly FieldChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    compare(getOwn(before, key), getOwn(after, key), `${pointer}/${pointerToken(key)}`),
  );
}

function elementsOf(
  before: readonly Json[],
  after: readonly Json[],
  pointer: string,
): readonly FieldChange[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) =>
    compare(before[index], after[index], `${pointer}/${index}`),
  ).flat();
}
