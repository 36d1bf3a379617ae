// SPDX-License-Identifier: AGPL-3.0-or-later
/** What goes wrong in a program, as the evaluator reports it. */
import { nameAt, NOWHERE, traceBack, type Position } from './source-position.js';

export interface ProgramError extends Position {
  readonly message: string;
}

export const MAX_ERRORS = 20;
const MAX_MESSAGE = 1000;

/** A problem at a place, its message cut to a readable length. */
export function errorAt(message: string, position: Position): ProgramError {
  const { line, column } = position;
  return {
    message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message,
    line,
    column,
  };
}

/** Which bound of the sandbox an exception stands for; time has none, it can not be caught. */
export function limitOf(error: unknown): 'memory' | 'stack' | undefined {
  if (!(error instanceof Error) || error.name !== 'InternalError') return undefined;
  if (error.message === 'out of memory') return 'memory';
  return error.message === 'stack overflow' ? 'stack' : undefined;
}

/** An exception of the program, with the place in it where the exception, or the call that led to it, is. */
export function describeError(error: unknown): ProgramError {
  if (!(error instanceof Error)) return errorAt(`The program threw ${String(error)}`, NOWHERE);
  const frame = /\(<input>:(\d+):(\d+)\)/.exec(error.stack ?? '');
  // The wrapper takes the first line; what the program evaluates itself may start there too.
  const line = Number(frame?.[1]) - 1;
  const column = Number(frame?.[2]);
  if (!(line > 0)) return errorAt(error.message, NOWHERE);
  const name = error.message === 'not a function' ? nameAt(line, column) : '';
  return errorAt(
    `${name} ${error.message}`.replace(/^(\S+) not a/, '$1 is not a').trim(),
    traceBack(line, column),
  );
}
