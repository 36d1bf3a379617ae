// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The evaluator: a program of its own that checks Strudel programs. README.md describes its lines.
 *
 * Started with the path of the bundle; reads requests from stdin, one JSON text a line, and answers each on stdout.
 * Ends when stdin does, and after a program that had to be stopped at a limit.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { Sandbox, type SandboxAnswer } from './sandbox.js';

interface Request {
  readonly id: number;
  readonly code: string;
  readonly cycles: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly timeLimitMs: number;
}

const NEVER_SETTLED =
  'The program awaits something that never comes: there are no timers and no network here';

const BROKEN = 'The program changed what its evaluation relies on';
const MAX_MESSAGE = 200;

const sandbox = await Sandbox.load(readFileSync(process.argv[2] ?? '', 'utf8'));
say('{"ready":true}');

for await (const line of createInterface({ input: process.stdin })) {
  const { id, timeLimitMs, maxBytes, ...program } = JSON.parse(line) as Request;
  const answer = sandbox.evaluate(JSON.stringify(program), timeLimitMs);
  say(answerLine(id, answer, maxBytes));
  if (answer.kind === 'limit') break;
}
process.stdin.destroy();

function answerLine(id: number, answer: SandboxAnswer, maxBytes: number): string {
  if (answer.kind === 'limit') return JSON.stringify({ id, result: { limit: answer.limit } });
  if (answer.kind === 'never-settled') return invalid(id, NEVER_SETTLED);
  if (answer.kind === 'broken') return invalid(id, `${BROKEN}: ${answer.message.slice(0, MAX_MESSAGE)}`);
  if (!answer.text.startsWith('{')) return invalid(id, BROKEN);
  const line = `{"id":${id},"result":${answer.text}}`;
  if (Buffer.byteLength(line) <= maxBytes) return line;
  return invalid(
    id,
    `The events take more than ${maxBytes} bytes; make the pattern simpler or ask for fewer cycles`,
  );
}

function invalid(id: number, message: string): string {
  const errors = [{ message, line: null, column: null }];
  return JSON.stringify({ id, result: { errors, events: [] } });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
