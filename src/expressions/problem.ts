/**
 * What can be wrong with a template or an expression.
 *
 * Decided here: the record of a problem in a text, and the failures of an evaluation.
 * Decided elsewhere: what is a problem (liquid.ts, cel.ts, references.ts) and where in a document the text stands.
 */
import { failureOf, type Failure } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { expressionErrors } from './expression.errors.js';

/** Why a text is refused when it is compiled. */
export interface ExpressionProblem {
  /** A code of `expression.errors.ts`. */
  readonly code: 'expression.invalid' | `reference.${'unknown-root' | 'unknown-field' | 'not-static'}`;
  readonly message: string;
  /** From 1; absent when the problem is the whole text. */
  readonly line?: number;
  /** From 1, in UTF-16 units; absent when the problem is the whole text. */
  readonly column?: number;
  /** From 0, in UTF-16 units; absent when the problem is the whole text. */
  readonly offset?: number;
}

/** Where in a text something stands: `line` and `column` from 1, `offset` from 0. */
export type TextPosition = Required<Pick<ExpressionProblem, 'line' | 'column' | 'offset'>>;

/** Line and column of an offset; an offset past the end is the end. */
export function positionOf(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { offset: before.length, line: before.split('\n').length, column: before.length - lineStart + 1 };
}

/** A problem of the text itself: syntax, an unknown function or filter, too large, too costly. */
export function invalid(message: string, position?: TextPosition): ExpressionProblem {
  return { code: 'expression.invalid', message, ...position };
}

/** The message of a problem with its position, for a list of issues. */
export function describeProblem({ message, line, column }: ExpressionProblem): string {
  return line === undefined || column === undefined ? message : `${message} (line ${line}, column ${column})`;
}

/**
 * The failure of an evaluation that has no value: `expression.failed`, not retried.
 *
 * @param details where it happened, JSON for machines
 */
export function evaluationFailed(message: string, details: { readonly [key: string]: Json } = {}): Failure {
  return failureOf(expressionErrors['expression.failed'], message, { details });
}

/**
 * The failure of a template that lacks variables: `template.variable-missing`, not retried.
 *
 * @param names every missing variable as it is written, each once, in the order of its first use
 */
export function variablesMissing(names: Iterable<string>): Failure {
  const variables = [...names];
  const what = variables.length === 1 ? 'variable' : 'variables';
  return failureOf(
    expressionErrors['template.variable-missing'],
    `missing ${what}: ${variables.join(', ')}; give a value or a default, as in {{ name | default: "text" }}`,
    { details: { variables } },
  );
}
