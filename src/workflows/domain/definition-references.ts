/**
 * What a definition refers to outside itself.
 *
 * Decided here: which fields are references, and where they stand. Read from the JSON as it was sent, so that they are
 * found whatever else is wrong with it. Decided elsewhere: whether what is meant exists (workflow.service.ts).
 */
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../kernel/json.js';

/** What a definition may refer to. */
export type ReferenceKind = 'agent' | 'template' | 'workflow';

/** One reference with its place. */
export interface DefinitionReference {
  readonly kind: ReferenceKind;
  /** The key of the step that refers. */
  readonly stepKey: string;
  /** JSON Pointer to the field of the step, from the root of the definition. */
  readonly pointer: string;
  /** The key of an agent; the id or name of a template or workflow, as it is written. */
  readonly target: string;
  /** The member of the reference that names the target; empty where the reference is a text. */
  readonly targetField: '' | 'key' | 'id' | 'name';
  readonly version?: number;
  readonly label?: string;
  /** What a step gives to its template. */
  readonly variables?: Json;
}

/** One step wherever it stands, bodies of loops included, with the pointer to it. */
export interface PlacedStep {
  readonly step: JsonObject;
  readonly pointer: string;
  /** Its id after those of the loops around it: `polish/check`. An id that is missing is empty. */
  readonly key: string;
}

const KINDS: readonly ReferenceKind[] = ['agent', 'template', 'workflow'];
const TARGETS = ['key', 'id', 'name'] as const;

/** The steps of a definition in its order, bodies of loops after them. What is no object is left out. */
export function stepsIn(json: unknown): readonly PlacedStep[] {
  const found: PlacedStep[] = [];
  const open = [{ holder: json, pointer: '', prefix: '' }];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const steps = isJsonObject(next.holder) ? getOwn(next.holder, 'steps') : undefined;
    for (const [index, step] of Array.isArray(steps) ? (steps as readonly Json[]).entries() : []) {
      if (!isJsonObject(step)) continue;
      const pointer = `${next.pointer}/steps/${index}`;
      const id = getOwn(step, 'id');
      const key = `${next.prefix}${typeof id === 'string' ? id : ''}`;
      found.push({ step, pointer, key });
      const repeat = getOwn(step, 'repeat');
      const body = isJsonObject(repeat) ? getOwn(repeat, 'body') : undefined;
      if (body !== undefined)
        open.push({ holder: body, pointer: `${pointer}/repeat/body`, prefix: `${key}/` });
    }
  }
  return found;
}

/** Everything that a definition refers to, in its order. What is malformed is left out. */
export function referencesIn(json: unknown): readonly DefinitionReference[] {
  return stepsIn(json).flatMap((placed) => [
    ...KINDS.flatMap((kind) => referenceOf(kind, placed)),
    ...compensationOf(placed).flatMap((compensation) => referenceOf('agent', compensation)),
  ]);
}

/** What undoes a step refers to an agent of its own. */
function compensationOf({ step, pointer, key }: PlacedStep): readonly PlacedStep[] {
  const compensate = getOwn(step, 'compensate');
  if (!isJsonObject(compensate)) return [];
  return [{ step: compensate, pointer: `${pointer}/compensate`, key: `${key}~compensate` }];
}

function referenceOf(
  kind: ReferenceKind,
  { step, pointer: at, key: stepKey }: PlacedStep,
): readonly DefinitionReference[] {
  const value = getOwn(step, kind);
  const pointer = `${at}/${kind}`;
  if (typeof value === 'string') return [{ kind, stepKey, pointer, target: value, targetField: '' }];
  if (!isJsonObject(value)) return [];
  const targetField = TARGETS.find((field) => typeof getOwn(value, field) === 'string');
  if (targetField === undefined) return [];
  const version = getOwn(value, 'version');
  const label = getOwn(value, 'label');
  const variables = getOwn(value, 'variables');
  return [
    {
      ...{ kind, stepKey, pointer, targetField, target: getOwn(value, targetField) as string },
      ...(typeof version === 'number' && { version }),
      ...(typeof label === 'string' && { label }),
      ...(variables !== undefined && { variables }),
    },
  ];
}
