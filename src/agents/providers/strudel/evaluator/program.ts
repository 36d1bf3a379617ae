// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Runs inside the sandbox, bundled with the Strudel packages: takes a request as JSON text, answers with JSON text.
 *
 * Decided here: what a valid program is, and which events it makes. Decided outside: time, memory and stack.
 */
import './prelude.js';

import * as core from '@strudel/core';
import * as mini from '@strudel/mini';
import * as tonal from '@strudel/tonal';

import { describeError, limitOf, type ProgramError } from './program-error.js';
import { queryEvents } from './query.js';
import { Repl } from './repl.js';
import { endOf } from './source-position.js';
import { transpile } from './transpile.js';

interface ProgramRequest {
  readonly code: string;
  readonly cycles: number;
  readonly maxEvents: number;
}

const { parse, stringify } = JSON;

const repl = new Repl();
repl.install(core, mini, tonal);

async function evaluate(request: string): Promise<string> {
  const { code, cycles, maxEvents } = parse(request) as ProgramRequest;
  try {
    const transpiled = transpile(code);
    if (!transpiled.ok) return invalid(transpiled.errors);
    const pattern = repl.patternOf(await run(transpiled.output));
    if (!core.isPattern(pattern)) return invalid([notAPattern(code, pattern)]);
    return stringify(queryEvents({ pattern, code, cycles, maxEvents, cps: repl.cps }));
  } catch (error) {
    const limit = limitOf(error);
    return limit === undefined ? invalid([describeError(error)]) : stringify({ limit });
  }
}

/** The code starts on the second line, so that its columns are its own. */
function run(output: string): Promise<unknown> {
  const evaluateGlobally = eval;
  return (evaluateGlobally as (code: string) => () => Promise<unknown>)(
    `"use strict"; (async () => {\n${output}\n})`,
  )();
}

function invalid(errors: readonly ProgramError[]): string {
  return stringify({ cps: repl.cps, errors, events: [] });
}

function notAPattern(code: string, value: unknown): ProgramError {
  const message = `The program ends with ${describe(value)}, which is not a pattern. End it with a pattern, or label one: $: s("bd")`;
  return { message, ...endOf(code) };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a text';
  return typeof value === 'number' || value == null ? String(value) : `a value of type ${typeof value}`;
}

Object.assign(globalThis, { evaluateProgram: evaluate });
