/**
 * Values of variables: whether each is what its declaration says.
 *
 * Decided here: types, and where a problem is. Decided elsewhere: JSON Schemas, which the caller of a rendering
 * checks (`SchemaCheck`), and what happens to a value that is missing (render.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { isJsonObject, pointerToken, type Json, type JsonObject } from '../../kernel/json.js';
import { CHAT_ROLES, type VariableDeclaration, type VariableType } from './template.js';
import type { templateErrors } from './template.errors.js';

/** Every problem of a value under a JSON Schema, with pointers from the value's root. */
export type SchemaCheck = (schema: JsonObject, value: Json) => readonly Issue[];

const INVALID = 'template.variable-invalid' satisfies keyof typeof templateErrors;

/** Every problem of a value, with pointers from `/variables`. */
export function valueIssues(
  { name, type, schema }: VariableDeclaration,
  value: Json,
  check: SchemaCheck,
): readonly Issue[] {
  const pointer = `/variables/${pointerToken(name)}`;
  const wrong = typeIssues(type, value);
  if (wrong.length > 0) return wrong.map((issue) => ({ ...issue, pointer: pointer + issue.pointer }));
  if (schema === undefined) return [];
  return check(schema, value).map((issue) => ({ ...issue, code: INVALID, pointer: pointer + issue.pointer }));
}

/** What a value is not, under a type; pointers from the value's root. */
export function typeIssues(type: VariableType, value: Json): readonly Issue[] {
  if (type === 'messages') return messageIssues(value);
  if (hasType(type, value)) return [];
  return [issueAt('', `expected ${nameOf(type)}, got ${describe(value)}`)];
}

function hasType(type: Exclude<VariableType, 'messages'>, value: Json): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** What is wrong with a list of messages. */
export function messageIssues(value: Json): readonly Issue[] {
  if (!Array.isArray(value)) return [issueAt('', `expected a list of messages, got ${describe(value)}`)];
  return value.flatMap((message: Json, index) => {
    if (isMessage(message)) return [];
    return [
      issueAt(`/${index}`, `expected { role, content } with a role of ${CHAT_ROLES.join(', ')} and a text`),
    ];
  });
}

function isMessage(value: Json): boolean {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'role') || !Object.hasOwn(value, 'content')) return false;
  return CHAT_ROLES.some((role) => role === value['role']) && typeof value['content'] === 'string';
}

function nameOf(type: VariableType): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function describe(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return nameOf(typeof value as VariableType);
}

function issueAt(pointer: string, message: string): Issue {
  return { pointer, code: INVALID, message };
}
