/** What a `strudel` agent takes, and what its evaluator answers. */
import { z } from 'zod';

import { failureOf, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import { issuesOf } from '../../domain/issues.js';

const MAX_CODE_BYTES = 65_536;
const MAX_VALUE_DEPTH = 16;
const TIME_LIMIT = 'Expected a whole number of milliseconds from 100 to 60000';
const CYCLES = 'Expected a whole number from 1 to 64';

export const strudelSettingsSchema = z.strictObject({
  timeLimitMs: z
    .int(TIME_LIMIT)
    .min(100, TIME_LIMIT)
    .max(60_000, TIME_LIMIT)
    .default(5000)
    .describe('How long one program may run, in milliseconds.'),
});

export type StrudelSettings = z.infer<typeof strudelSettingsSchema>;

export const strudelInputSchema = z.strictObject(
  {
    code: z
      .string('Expected the text of a Strudel program')
      .refine((code) => Buffer.byteLength(code) <= MAX_CODE_BYTES, 'Expected at most 64 KiB')
      .transform(withoutFence)
      .describe('A Strudel program. A Markdown fence around the whole of it is taken off.'),
    cycles: z
      .int(CYCLES)
      .min(1, CYCLES)
      .max(64, CYCLES)
      .default(4)
      .describe('How many cycles to look at, from the first.'),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'Expected an object' : undefined) },
);

export type StrudelInput = z.infer<typeof strudelInputSchema>;

/** A problem in a program. Lines and columns count from 1; null where nobody knows. */
const programErrorSchema = z.object({
  message: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
});

const eventSchema = z.object({
  begin: z.number(),
  end: z.number(),
  value: z.custom<Json>((value) => isShallow(value as Json, MAX_VALUE_DEPTH)),
});

const limitSchema = z.enum(['time', 'memory', 'stack']);

/** What the evaluator answers to a request. */
export const resultSchema = z.union([
  z.object({ limit: limitSchema }),
  z.object({
    /** Cycles per second. */
    cps: z.number().positive().optional(),
    errors: z.array(programErrorSchema),
    events: z.array(eventSchema),
  }),
]);

/** One answer line of the evaluator. */
export const answerSchema = z.object({ id: z.int(), result: z.unknown() });

/** Something that starts within the asked cycles. Times are in cycles; `value` is what Strudel would play. */
export type PatternEvent = z.infer<typeof eventSchema>;

/** Which bound of its sandbox a program exceeded. */
export type Limit = z.infer<typeof limitSchema>;

/** What became of a program: evaluated, valid when there are no errors, or stopped at a limit. */
export type EvaluatorResult = z.infer<typeof resultSchema>;

/** Every problem in the settings of an agent; pointers start at the root of the settings. */
export function checkSettings(settings: JsonObject): readonly Issue[] {
  const parsed = strudelSettingsSchema.safeParse(settings);
  return parsed.success ? [] : issuesOf(parsed.error.issues, 'settings.invalid');
}

/** Reads settings, or fails with `agent.not-configured` and all their issues. */
export function parseSettings(settings: JsonObject): Result<StrudelSettings> {
  const parsed = strudelSettingsSchema.safeParse(settings);
  if (parsed.success) return ok(parsed.data);
  const issues = issuesOf(parsed.error.issues, 'settings.invalid');
  return fail(
    failureOf(agentErrors['agent.not-configured'], 'The settings of the agent are invalid.', { issues }),
  );
}

/** Reads an input, or fails with `agent.input-invalid` and all its issues. */
export function parseInput(input: Json): Result<StrudelInput> {
  const parsed = strudelInputSchema.safeParse(input);
  if (parsed.success) return ok(parsed.data);
  const issues = issuesOf(parsed.error.issues, 'field.invalid');
  const places = issues.map(({ pointer, message }) => `${pointer === '' ? 'input' : pointer}: ${message}`);
  return fail(
    failureOf(agentErrors['agent.input-invalid'], `The input can not be used. ${places.join('. ')}.`, {
      issues,
    }),
  );
}

/** Models like to put programs into a Markdown fence. Its opening line stays, empty, so that line numbers hold. */
function withoutFence(code: string): string {
  const fenced = /^\s*```[\w-]*[ \t]*(\n.*?)\n?```\s*$/s.exec(code)?.[1];
  return fenced === undefined || fenced.includes('```') ? code : fenced;
}

function isShallow(value: Json, depth: number): boolean {
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item: Json) => isShallow(item, depth - 1));
  return !isJsonObject(value) || Object.values(value).every((item) => isShallow(item, depth - 1));
}
