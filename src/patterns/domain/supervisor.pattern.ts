/** An agent plans, gives tasks to delegates that are listed to it, and checks what they bring, until it is done. */
import { z } from 'zod';

import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { linesOf, objectOf, plainOf, quoted, quotedList } from './answer.js';
import { Assembly, loop, type CompiledPattern } from './assembly.js';
import { callSchema, callSchemaWith, runFields, stepName, text } from './call.schema.js';

const MAX_DELEGATES = 20;
const MAX_SUPERVISED_ROUNDS = 50;
const DEFAULT_ROUNDS = 5;

/** The schema of its parameters. */
export const supervisorSchema = z.strictObject({
  ...runFields,
  goal: text.describe('What is to be reached, in Liquid.'),
  supervisor: callSchema.describe(
    'Called in each round; texts read `iteration` and `previous.reports`. Without more it is asked for lines ' +
      '"<delegate>: <task>", or "DONE: <answer>"; agents answer `{ tasks: [{ delegate, task }] }` or `{ done: true, answer }`.',
  ),
  delegates: z
    .array(
      callSchemaWith({
        name: stepName.describe('What the supervisor calls the delegate.'),
        description: text.describe('What the supervisor is told about the delegate.'),
      }),
    )
    .min(1)
    .max(MAX_DELEGATES)
    .describe('Texts read `item.task`. Without more a delegate is given its task as the prompt.'),
  maxRounds: z
    .int()
    .min(1)
    .max(MAX_SUPERVISED_ROUNDS)
    .exactOptional()
    .meta({ default: DEFAULT_ROUNDS })
    .describe('How many rounds there are at most.'),
  onExhausted: z
    .enum(['fail', 'continue'])
    .exactOptional()
    .meta({ default: 'fail' })
    .describe('What happens when it is not done by then: the run fails, or answers null with the reports.'),
});

type Parameters = z.infer<typeof supervisorSchema>;

/** Answers `{ answer, done, rounds, reports }`; a report is what one delegate was given and brought in one round. */
export function supervisor(parameters: Parameters): CompiledPattern {
  const { maxRounds = DEFAULT_ROUNDS, onExhausted = 'fail' } = parameters;
  const assembly = new Assembly();
  const supervise = loop('supervise', {
    until: 'output.done',
    maxIterations: maxRounds,
    onExhausted,
    body: {
      steps: [...planning(assembly, parameters), ...working(assembly, parameters)],
      output: {
        done: '{{ steps.orders.output.done }}',
        answer: '{{ steps.orders.output.answer }}',
        rounds: '{{ iteration | plus: 1 }}',
        reports: '{{ steps.reports.output }}',
      },
    },
  });
  return assembly.finish('supervisor', parameters, {
    steps: [supervise],
    output: '{{ steps.supervise.output }}',
  });
}

function planning(
  assembly: Assembly,
  { goal, supervisor: planner, delegates }: Parameters,
): readonly StepDefinition[] {
  const listed = delegates.map(({ name, description }) => `- ${name}: ${description}`).join('\n');
  const prompt =
    `You supervise others, your delegates.\n\nGoal: ${goal}\n\nDelegates:\n${listed}\n\n` +
    '{% if iteration > 0 %}What was brought so far, as JSON:\n{{ previous.reports | json }}\n\n' +
    'Check it against the goal.\n\n{% endif %}' +
    'To delegate, write one line for each task, "<delegate>: <task>". ' +
    'When the goal is reached, write "DONE:" and then the final answer instead.';
  return [
    assembly.call(planner, '/supervisor', { id: 'plan' }, { input: { prompt }, from: '/goal' }),
    assembly.compute('said', objectOf('steps.plan.output'), '/supervisor'),
    assembly.compute('plain', plainOf('steps.said.output'), '/supervisor'),
    assembly.compute('lines', linesOf('steps.plain.output'), '/supervisor'),
    assembly.compute('orders', ordersOf(delegates.map(({ name }) => name)), '/supervisor'),
  ];
}

/** In CEL: `{ done, answer, tasks }` of what the supervisor said. */
function ordersOf(names: readonly string[]): string {
  const said = 'steps.said.output';
  const tasks =
    `steps.lines.output.filter(l, ${quotedList(names)}.exists(n, l.startsWith(n + ":")))` +
    '.map(l, {"delegate": l.split(":")[0], "task": l.substring(l.indexOf(":") + 1).trim()})';
  const answer = 'steps.plain.output.substring(steps.plain.output.indexOf("DONE:") + 5).trim()';
  const ofText =
    `cel.bind(d, steps.lines.output.exists(l, l.startsWith("DONE:")), ` +
    `{"done": d, "answer": d ? dyn(${answer}) : dyn(null), "tasks": d ? [] : ${tasks}})`;
  const ofObject =
    `cel.bind(d, "done" in ${said} && ${said}.done == true, ` +
    `{"done": d, "answer": "answer" in ${said} ? ${said}.answer : null, ` +
    `"tasks": !d && "tasks" in ${said} ? ${said}.tasks : []})`;
  return `"text" in ${said} ? ${ofText} : ${ofObject}`;
}

/** Each delegate does its tasks; one that fails is reported with null. */
function working(assembly: Assembly, { delegates }: Parameters): readonly StepDefinition[] {
  const tasksOf = (name: string): string =>
    `steps.orders.output.tasks.filter(t, t.delegate == ${quoted(name)})`;
  const steps = delegates.map((delegate, index) => {
    const forEach = { items: tasksOf(delegate.name), toleratedFailurePercentage: 100 };
    const fallback = { input: { prompt: '{{ item.task }}' } };
    return assembly.call(delegate, `/delegates/${index}`, { id: delegate.name, forEach }, fallback);
  });
  const reported = delegates.map(
    ({ name }) =>
      `{"round": iteration + 1, "delegate": ${quoted(name)}, "tasks": ${tasksOf(name)}.map(t, t.task), ` +
      `"outputs": steps[${quoted(name)}].output}`,
  );
  const reports = `(previous == null ? [] : previous.reports) + [${reported.join(', ')}].filter(r, size(r.tasks) > 0)`;
  return [...steps, assembly.compute('reports', reports, '/delegates')];
}
