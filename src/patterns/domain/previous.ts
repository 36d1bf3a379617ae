/**
 * `previous` in the texts of a sequence: the step before, under the name that it has in the definition.
 *
 * Decided here: which words mean it. Words in quotes and names after a dot do not.
 */
import { fromEntries, isJsonObject, type Json } from '../../kernel/json.js';

const BRACES = /\{\{.*?\}\}|\{%.*?%\}/gs;
/** Quoted text and names after a dot are passed over; a word that is left is taken. */
const PREVIOUS = /"[^"]*"|'[^']*'|\.\s*[\w-]+|(?<![\w-])previous(?![\w-])/g;
const PREVIOUS_OUTPUT = /"[^"]*"|'[^']*'|\.\s*[\w-]+|(?<![\w-])previous\s*\.\s*output(?![\w-])/g;

/**
 * JSON with `previous` in its templates replaced.
 *
 * @param id the step before; absent for the first, to which `previous.output` is the run's input
 */
export function withPrevious(json: Json, id: string | undefined): Json {
  if (typeof json === 'string') return json.replaceAll(BRACES, (braces) => replaced(braces, id));
  if (Array.isArray(json)) return json.map((member: Json) => withPrevious(member, id));
  if (!isJsonObject(json)) return json;
  return fromEntries(Object.entries(json).map(([key, member]) => [key, withPrevious(member, id)] as const));
}

function replaced(braces: string, id: string | undefined): string {
  const [pattern, name] = id === undefined ? [PREVIOUS_OUTPUT, 'input'] : [PREVIOUS, `steps.${id}`];
  return braces.replaceAll(pattern, (word) => (word.startsWith('previous') ? name : word));
}
