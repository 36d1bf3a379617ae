// SPDX-License-Identifier: AGPL-3.0-or-later
/** From Strudel's dialect to plain JavaScript, with every syntax error at its place. */
import { parse } from '@strudel/mini';
import { registerLanguage, transpiler } from '@strudel/transpiler';

import { errorAt, MAX_ERRORS, type ProgramError } from './program-error.js';
import { endOf, keepTree, positionOf } from './source-position.js';

export type Transpiled =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly errors: readonly ProgramError[] };

/** What the parser of mini-notation throws. */
interface MiniSyntaxError extends Error {
  readonly location: { readonly start: { readonly offset: number } };
}

/** What the parser of JavaScript throws; columns count from 0. */
interface ScriptSyntaxError extends SyntaxError {
  readonly loc: { readonly line: number; readonly column: number };
}

let program = '';
let miniErrors: ProgramError[] = [];

keepTree();
// The transpiler asks the language of quoted strings where its atoms are; nobody needs them here, but all mistakes.
registerLanguage('minilang', {
  name: 'm',
  getLocations: (bracketed, offset) => {
    checkMini(bracketed.slice(1, -1), offset);
    return [];
  },
});

/** Plain JavaScript whose last statement returns, or every mistake in the mini-notation, or the first elsewhere. */
export function transpile(code: string): Transpiled {
  if (code.trim() === '')
    return { ok: false, errors: [errorAt('The program is empty', { line: 1, column: 1 })] };
  program = code;
  miniErrors = [];
  try {
    const { output } = transpiler(code, { wrapAsync: false });
    return miniErrors.length === 0 ? { ok: true, output } : { ok: false, errors: miniErrors };
  } catch (error) {
    return { ok: false, errors: [syntaxError(error)] };
  }
}

function checkMini(text: string, offset: number): void {
  try {
    parse(`"${text}"`);
  } catch (error) {
    if (miniErrors.length >= MAX_ERRORS || !isMiniSyntaxError(error)) throw error;
    const position = positionOf(program, offset + error.location.start.offset);
    miniErrors.push(
      errorAt(`[mini] parse error at line ${position.line ?? '?'}: ${error.message}`, position),
    );
  }
}

function isMiniSyntaxError(error: unknown): error is MiniSyntaxError {
  return error instanceof Error && 'location' in error;
}

function syntaxError(error: unknown): ProgramError {
  if (error instanceof SyntaxError && 'loc' in error) {
    const { message, loc } = error as ScriptSyntaxError;
    return errorAt(message.replace(/ \(\d+:\d+\)$/, ''), { line: loc.line, column: loc.column + 1 });
  }
  if (error instanceof Error && error.message.startsWith('unexpected ast format')) {
    return errorAt(
      'The last statement must be an expression or a labelled pattern: $: s("bd")',
      endOf(program),
    );
  }
  throw error;
}
