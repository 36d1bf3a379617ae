/**
 * What a step gives to its template, against what the template reads.
 *
 * Decided here: variables that are missing (problems) and variables that nothing reads (warnings). Decided elsewhere:
 * what a template needs (templates/domain), values, which are known when the step runs.
 */
import { expressionErrors } from '../../expressions/expression.errors.js';
import type { Issue } from '../../kernel/failure.js';
import { getOwn, isJsonObject, pointerToken } from '../../kernel/json.js';
import type { TemplateProgram } from '../../templates/domain/parse.js';
import type { DefinitionReference } from './definition-references.js';
import { warningAt, type Warning } from './warning.js';

/** A problem for each variable that the template cannot do without and the step does not give. */
export function missingVariables(
  { pointer, target, variables }: DefinitionReference,
  { needed }: TemplateProgram,
): readonly Issue[] {
  const given = isJsonObject(variables) ? variables : {};
  return needed
    .filter((name) => getOwn(given, name) === undefined)
    .map((name) => ({
      pointer: `${pointer}/variables`,
      code: expressionErrors['template.variable-missing'].code,
      message: `the template "${target}" needs the variable "${name}"`,
    }));
}

/** A warning for each variable that the step gives and the template neither reads nor declares. */
export function unknownVariables(
  { pointer, target, variables }: DefinitionReference,
  { names, declarations }: TemplateProgram,
): readonly Warning[] {
  const known = new Set([...names, ...declarations.map(({ name }) => name)]);
  return Object.keys(isJsonObject(variables) ? variables : {})
    .filter((name) => !known.has(name))
    .map((name) => {
      const message = `the template "${target}" does not read the variable "${name}"`;
      return warningAt(`${pointer}/variables/${pointerToken(name)}`, 'template.variable-unknown', message);
    });
}
