/**
 * The JSON Schema of a definition, for editors.
 *
 * Decided here: its form. Decided elsewhere: what a definition may hold (definition.schema.ts), of which this is
 * generated, and what each field is for (definition-fields.ts). What fields mean together is beyond a schema.
 */
import { z } from 'zod';

import { getOwn, isJsonObject, setOwn, type Json, type JsonObject } from '../../kernel/json.js';
import { FIELD_DESCRIPTIONS } from './definition-fields.js';
import { definitionSchema } from './definition.schema.js';

/** Where the service answers with it. */
export const DEFINITION_SCHEMA_PATH = '/schemas/workflow.json';

/** The schema (draft 2020-12), each of its fields with a description. Made once. */
export function definitionJsonSchema(): JsonObject {
  return (known ??= make());
}

let known: JsonObject | undefined;

function make(): JsonObject {
  const { $schema, ...schema } = z.toJSONSchema(definitionSchema, { io: 'input' }) as unknown as JsonObject;
  return {
    ...($schema !== undefined && { $schema }),
    $id: DEFINITION_SCHEMA_PATH,
    title: 'Workflow definition',
    description: 'A workflow as data: its steps, input schema, limits and output.',
    ...(described(schema, '') as JsonObject),
  };
}

/** The same schema with descriptions; `holder` is the nearest field around it. */
function described(schema: Json, holder: string): Json {
  if (Array.isArray(schema)) return schema.map((member: Json) => described(member, holder));
  if (!isJsonObject(schema)) return schema;
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    if (isNoBound(key, value)) continue;
    if (key === 'properties' && isJsonObject(value)) setOwn(out, key, fieldsOf(value, holder));
    // Only steps are defined apart: they hold each other.
    else setOwn(out, key, described(value, key === '$defs' ? 'steps' : holder));
  }
  return impliesKind(schema) ? withoutKind(out) : out;
}

/** Whether a step of this schema need not say its kind: naming a workflow says it. */
function impliesKind(schema: JsonObject): boolean {
  const properties = getOwn(schema, 'properties');
  const kind = isJsonObject(properties) ? getOwn(properties, 'kind') : undefined;
  return isJsonObject(kind) && getOwn(kind, 'const') === 'workflow';
}

function withoutKind(schema: JsonObject): JsonObject {
  const required = getOwn(schema, 'required') as readonly Json[];
  return { ...schema, required: required.filter((field) => field !== 'kind') };
}

function fieldsOf(fields: JsonObject, holder: string): JsonObject {
  const out = {};
  for (const [name, schema] of Object.entries(fields)) {
    const description = getOwn(FIELD_DESCRIPTIONS, `${holder}.${name}`) ?? getOwn(FIELD_DESCRIPTIONS, name);
    const field = described(schema, name) as JsonObject;
    setOwn(out, name, description === undefined ? field : { description, ...field });
  }
  return out;
}

/** The largest number that is exact bounds nothing that anybody writes. */
function isNoBound(key: string, value: Json): boolean {
  return key === 'maximum' && value === Number.MAX_SAFE_INTEGER;
}
