// SPDX-License-Identifier: AGPL-3.0-or-later
/** Where in the program something is: lines and columns from 1, or null where nobody knows. */
import escodegen from 'escodegen';
import { SourceMapConsumer } from 'source-map';

export interface Position {
  readonly line: number | null;
  readonly column: number | null;
}

export const NOWHERE: Position = { line: null, column: null };

/** The position of an offset in the program. */
export function positionOf(code: string, offset: number): Position {
  const before = code.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where the last line with anything on it starts. */
export function endOf(code: string): Position {
  return { line: code.trimEnd().split('\n').length, column: 1 };
}

const generate = escodegen.generate.bind(escodegen);
let tree: unknown;
let generated: readonly string[] = [];

/** Lets escodegen keep what it generates, and from which tree, so that positions can be traced back. */
export function keepTree(): void {
  (escodegen as { generate: (tree: unknown) => string }).generate = (given) => {
    tree = given;
    const code = generate(given);
    generated = code.split('\n');
    return code;
  };
}

/** The name that a position of the generated code is about: of the function that is called or the property that is read. */
export function nameAt(line: number, column: number): string {
  return /^[\w$]*/.exec(lineOf(line).slice(startOfName(line, column)))?.[0] ?? '';
}

/** The program's position of a position in what was generated last; `column` counts from 1. */
export function traceBack(line: number, column: number): Position {
  const { map } = generate(tree, { sourceMap: 'program', sourceMapWithCode: true });
  const at = { line, column: startOfName(line, column) };
  const found = new SourceMapConsumer(map.toString()).originalPositionFor(at);
  if (found.line === null) return NOWHERE;
  return { line: found.line, column: found.column === null ? null : found.column + 1 };
}

/** The engine points at the bracket of a call and at the dot of a property; the name is before or behind. From 0. */
function startOfName(line: number, column: number): number {
  const text = lineOf(line);
  const at = column - 1;
  if (text[at] === '.') return at + 1;
  if (text[at] !== '(') return at;
  return at - (/[\w$]*$/.exec(text.slice(0, at))?.[0].length ?? 0);
}

function lineOf(line: number): string {
  return generated[line - 1] ?? '';
}
