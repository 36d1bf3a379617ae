/**
 * What a problem of a compiled definition is in the parameters that it was compiled from.
 *
 * Decided here: the way back of a pointer. Decided elsewhere: where each step comes from (assembly.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';
import type { CompiledPattern, Origin } from './assembly.js';

/** The same issues, each at the parameter that it comes from; at the nearest one around it where there is none. */
export function issuesOfParameters(
  issues: readonly Issue[],
  compiled: CompiledPattern,
  parameters: Json,
): readonly Issue[] {
  return issues.map((issue) => ({ ...issue, pointer: backOf(issue.pointer, compiled, parameters) }));
}

function backOf(pointer: string, { definition, origins }: CompiledPattern, parameters: Json): string {
  const tokens = pointer.split('/').slice(1);
  let value: Json | undefined = definition;
  let found: Origin | undefined;
  let rest = tokens;
  for (const [index, token] of tokens.entries()) {
    value = childOf(value, token);
    const origin = origins.get(value);
    if (origin === undefined) continue;
    found = origin;
    rest = tokens.slice(index + 1);
  }
  if (found === undefined)
    return ['steps', 'output'].includes(tokens[0] ?? '') ? '' : existing(parameters, tokens);
  return existing(parameters, tokensOf(found, rest));
}

/** The tokens of a place in the parameters, by the longest field that has an origin of its own. */
function tokensOf({ pointer, fields = {} }: Origin, rest: readonly string[]): readonly string[] {
  for (let length = rest.length; length > 0; length -= 1) {
    const field = `/${rest.slice(0, length).join('/')}`;
    const from = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (from !== undefined) return [...from.split('/').slice(1), ...rest.slice(length)];
  }
  return [...pointer.split('/').slice(1), ...rest];
}

/** The longest part of a pointer that exists. */
function existing(parameters: Json, tokens: readonly string[]): string {
  let value: Json | undefined = parameters;
  let pointer = '';
  for (const token of tokens) {
    value = childOf(value, token);
    if (value === undefined) break;
    pointer += `/${token}`;
  }
  return pointer;
}

function childOf(value: Json | undefined, token: string): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[Number(token)];
  const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
  return isJsonObject(value) ? getOwn(value, key) : undefined;
}
