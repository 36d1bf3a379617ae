/**
 * Checking the shape of a definition, with each problem as an issue.
 *
 * Decided here: codes, pointers and wording. Decided elsewhere: the shape (definition.schema.ts).
 */
import type { z } from 'zod';

import type { Issue } from '../../kernel/failure.js';
import type { fieldErrors } from '../../kernel/field.errors.js';
import { getOwn, isJsonObject, pointerOf, type Json } from '../../kernel/json.js';
import { definitionSchema } from './definition.schema.js';
import { withKinds } from './implied-kind.js';

/** How much of a value a message shows. */
const MAX_SHOWN = 60;

type SchemaIssue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/** Every problem of the shape of a definition, none when it fits. */
export function listShapeIssues(json: unknown): readonly Issue[] {
  return listSchemaIssues(definitionSchema, withKinds(json));
}

/** Every problem of a value under a schema of ours, with pointers from its root; none when it fits. */
export function listSchemaIssues(schema: z.ZodType, json: unknown): readonly Issue[] {
  const result = schema.safeParse(json);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => issuesOf(json as Json, issue, []));
}

function issuesOf(json: Json, issue: SchemaIssue, outer: Path): readonly Issue[] {
  const path = [...outer, ...(issue.path as Path)];
  const value = valueAt(json, path);
  if (value === undefined)
    return [issueAt(path, 'field.required', `"${path.at(-1) ?? 'definition'}" is required`)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        issueAt([...path, key], 'field.unknown', `there is no field "${key}" here`),
      );
    case 'invalid_union':
      return issuesOfUnion(json, issue, path);
    default:
      return [issueAt(path, 'field.invalid', describe(issue, value))];
  }
}

/** The problems of the form that was meant: the one that is not refused as a whole. */
function issuesOfUnion(
  json: Json,
  issue: Extract<SchemaIssue, { code: 'invalid_union' }>,
  path: Path,
): readonly Issue[] {
  const meant = issue.errors.find(
    (form) => !form.some(({ code, path: at }) => code === 'invalid_type' && at.length === 0),
  );
  if (meant !== undefined) return meant.flatMap((inner) => issuesOf(json, inner, path));
  const forms = issue.errors.flatMap((form) =>
    form.map((inner) => ('expected' in inner ? inner.expected : inner.code)),
  );
  const expected =
    forms.length > 0 ? `expected ${forms.join(' or ')}` : 'this is none of the values that are allowed';
  return [issueAt(path, 'field.invalid', `${expected}, got ${shown(valueAt(json, path))}`)];
}

function describe(issue: SchemaIssue, value: Json): string {
  const expectation = issue.message.replace(/^[^:]*: /, '').replace(/, received .*$/, '');
  return `${expectation}, got ${shown(value)}`;
}

function issueAt(path: Path, code: keyof typeof fieldErrors, message: string): Issue {
  return { pointer: pointerOf(path), code, message };
}

function valueAt(json: Json, path: Path): Json | undefined {
  let value: Json | undefined = json;
  for (const key of path) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(key)];
    else value = isJsonObject(value) ? getOwn(value, String(key)) : undefined;
  }
  return value;
}

function shown(value: Json | undefined): string {
  if (Array.isArray(value)) return 'a list';
  if (isJsonObject(value)) return 'an object';
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
