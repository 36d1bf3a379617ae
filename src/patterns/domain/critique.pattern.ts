/** An agent does a task, another judges it against criteria, until it is good enough. The best draft is the answer. */
import { z } from 'zod';

import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { linesOf, objectOf, plainOf, quoted, quotedList, textIn } from './answer.js';
import { agentOf, Assembly, loop, type CompiledPattern } from './assembly.js';
import { callSchema, runFields, text } from './call.schema.js';

const MAX_CRITERIA = 20;
const MAX_ITERATIONS = 100;
const DEFAULT_ITERATIONS = 3;
const DEFAULT_THRESHOLD = 8;
const MAX_SCORE = 10;

const criterionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9 _-]{0,63}$/)
    .describe('What the score is answered under.'),
  description: text.exactOptional().describe('What the judge is told about it.'),
  weight: z.number().min(0.01).max(100).exactOptional().meta({ default: 1 }),
});

/** The schema of its parameters. */
export const critiqueSchema = z.strictObject({
  ...runFields,
  task: text.describe('What is to be done, in Liquid.'),
  generator: callSchema.describe('Who does it. Without more it is given the task as its prompt.'),
  judge: callSchema.describe(
    'Who scores the draft, which texts read as `steps.draft.output`. Without more it is asked for a line for each ' +
      'criterion; agents answer `{ scores: { <criterion>: 0 to 10 }, feedback }`.',
  ),
  improver: callSchema
    .exactOptional()
    .describe(
      'Who improves a draft, which texts read as `previous.draft`, with `previous.feedback`. Else the generator.',
    ),
  criteria: z.array(criterionSchema).min(1).max(MAX_CRITERIA),
  threshold: z
    .number()
    .min(0)
    .max(MAX_SCORE)
    .exactOptional()
    .meta({ default: DEFAULT_THRESHOLD })
    .describe('The weighted mean of the scores that is good enough.'),
  maxIterations: z
    .int()
    .min(1)
    .max(MAX_ITERATIONS)
    .exactOptional()
    .meta({ default: DEFAULT_ITERATIONS })
    .describe('How many drafts there are at most.'),
});

type Parameters = z.infer<typeof critiqueSchema>;

/** Answers the best draft as `{ output, score, scores, feedback, iteration, passed, iterations }`. */
export function critique(parameters: Parameters): CompiledPattern {
  const { threshold = DEFAULT_THRESHOLD, maxIterations = DEFAULT_ITERATIONS } = parameters;
  const assembly = new Assembly();
  const refine = loop('refine', {
    until: `output.best.score >= ${decimal(threshold)}`,
    maxIterations,
    onExhausted: 'continue',
    body: {
      steps: [
        ...drafting(assembly, parameters),
        judging(assembly, parameters),
        ...verdict(assembly, parameters),
      ],
      output: '{{ steps.verdict.output }}',
    },
  });
  const answer = assembly.compute(
    'answer',
    'cel.bind(b, steps.refine.output.best, {"output": b.draft, "score": b.score, "scores": b.scores, ' +
      '"feedback": b.feedback, "iteration": b.iteration, ' +
      `"passed": b.score >= ${decimal(threshold)}, "iterations": steps.refine.output.iteration})`,
    '',
  );
  return assembly.finish('critique', parameters, {
    steps: [refine, answer],
    output: '{{ steps.answer.output }}',
  });
}

/** The first draft, or a better one. */
function drafting(assembly: Assembly, { task, generator, improver }: Parameters): readonly StepDefinition[] {
  const improving =
    `${task}\n\nYour last answer:\n${textIn('previous.draft')}\n\n` +
    'It was judged:\n{{ previous.feedback }}\n\nAnswer again, better.';
  const { input, outputSchema } = generator;
  const again = {
    ...agentOf(generator),
    ...(input !== undefined && { input }),
    ...(outputSchema !== undefined && { outputSchema }),
  };
  return [
    assembly.call(
      generator,
      '/generator',
      { id: 'generate', when: 'iteration == 0' },
      { input: { prompt: task }, from: '/task' },
    ),
    assembly.call(
      improver ?? again,
      improver === undefined ? '/generator' : '/improver',
      { id: 'improve', when: 'iteration > 0' },
      { input: { prompt: improving }, from: '/task' },
    ),
    assembly.compute('draft', 'iteration == 0 ? steps.generate.output : steps.improve.output', '/generator'),
  ];
}

function judging(assembly: Assembly, { task, judge, criteria }: Parameters): StepDefinition {
  const listed = criteria
    .map(({ name, description }) => `- ${name}${description === undefined ? '' : `: ${description}`}`)
    .join('\n');
  const prompt =
    `Judge an answer to a task.\n\nTask: ${task}\n\nAnswer:\n${textIn('steps.draft.output')}\n\n` +
    `Criteria:\n${listed}\n\nWrite one line for each criterion, "<criterion>: <score>", with a score from 0 to ` +
    `${MAX_SCORE}. Then say what should be better.`;
  return assembly.call(judge, '/judge', { id: 'judge' }, { input: { prompt }, from: '/task' });
}

/** The scores of a draft, and which draft is the best by now. */
function verdict(assembly: Assembly, { criteria }: Parameters): readonly StepDefinition[] {
  const names = criteria.map(({ name }) => name);
  const weights = criteria.map(({ weight = 1 }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weighted = weights.map((weight, index) => `steps.scores.output[${index}] * ${decimal(weight)}`);
  const byName = names.map((name, index) => `${quoted(name)}: steps.scores.output[${index}]`);
  const judged =
    '{"draft": steps.draft.output, "iteration": iteration + 1, ' +
    `"score": (${weighted.join(' + ')}) / ${decimal(total)}, "scores": {${byName.join(', ')}}, ` +
    '"feedback": "feedback" in steps.judgement.output ? steps.judgement.output.feedback : ' +
    '"text" in steps.judgement.output ? steps.judgement.output.text : ""}';
  const best =
    `cel.bind(v, ${judged}, {"draft": v.draft, "iteration": v.iteration, "score": v.score, "scores": v.scores, ` +
    '"feedback": v.feedback, "best": previous == null || v.score > previous.best.score ? v : previous.best})';
  return [
    assembly.compute('judgement', objectOf('steps.judge.output'), '/judge'),
    assembly.compute('plain', plainOf('steps.judgement.output'), '/judge'),
    assembly.compute('lines', `${linesOf('steps.plain.output')}.filter(l, l.contains(":"))`, '/judge'),
    assembly.compute('scores', scoresOf(names), '/judge'),
    assembly.compute('verdict', best, '/criteria'),
  ];
}

/**
 * In CEL: the score of each criterion, from 0 to 10, in their order.
 *
 * Of an object the numbers of `scores`; of text what stands on the line of the criterion. What cannot be read is 0.
 */
function scoresOf(names: readonly string[]): string {
  const judgement = 'steps.judgement.output';
  const line = 'steps.lines.output.filter(l, l.lowerAscii().startsWith(n.lowerAscii() + ":"))';
  const word = 'l[0].substring(n.size() + 1).split("/")[0].trim().split(" ")[0]';
  const isNumber =
    'size(w) > 0 && w.split("").all(c, "0123456789.".contains(c)) && w != "." && size(w.split(".")) < 3';
  const ofText = `cel.bind(l, ${line}, size(l) == 0 ? 0.0 : cel.bind(w, ${word}, ${isNumber} ? double(w) : 0.0))`;
  const ofObject = `n in ${judgement}.scores ? double(${judgement}.scores[n]) : 0.0`;
  const score = `"scores" in ${judgement} ? (${ofObject}) : ${ofText}`;
  const bounded = `cel.bind(s, ${score}, s > ${decimal(MAX_SCORE)} ? ${decimal(MAX_SCORE)} : s < 0.0 ? 0.0 : s)`;
  return `${quotedList(names)}.map(n, ${bounded})`;
}

/** A number as a literal of CEL with its point. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
