/** One of several agents, chosen by an expression or by an agent that decides. */
import { z } from 'zod';

import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { expression } from '../../workflows/domain/step-fields.schema.js';
import { pickOf, quoted, quotedList, ranOf } from './answer.js';
import { Assembly, type CompiledPattern } from './assembly.js';
import { callSchema, callSchemaWith, runFields, text, type Call } from './call.schema.js';
import { patternErrors } from './pattern.errors.js';

const MAX_CASES = 50;

/** The schema of its parameters. */
export const conditionalSchema = z
  .strictObject({
    ...runFields,
    condition: expression.exactOptional().describe('In CEL: true leads to `then`, false to `else`.'),
    switch: expression.exactOptional().describe('In CEL: a text that leads to the case with this value.'),
    decide: callSchemaWith({ question: text.describe('What the agent decides, in Liquid.') })
      .exactOptional()
      .describe('An agent that decides: yes or no with `then`, else one of the values of `cases`.'),
    then: callSchema.exactOptional(),
    else: callSchema.exactOptional(),
    cases: z
      .array(callSchemaWith({ value: text.describe('What leads to this case.') }))
      .min(1)
      .max(MAX_CASES)
      .exactOptional(),
    default: callSchema.exactOptional().describe('What runs when no case has the value; nothing without it.'),
  })
  .refine(hasOneQuestion, { error: 'give one of condition, switch and decide', path: [] })
  .refine(hasItsBranches, {
    error: 'condition goes with then and else, switch with cases and default, decide with one of both',
    path: [],
  });

type Parameters = z.infer<typeof conditionalSchema>;

/** A branch: its name in the answer, its step, what it asks for. */
interface Branch {
  readonly name: string;
  readonly id: string;
  readonly call: Call;
  readonly at: string;
  readonly when: string;
}

const DECISION = 'steps.decision.output';

/** Answers `{ branch, output }`; nulls when no branch ran. */
export function conditional(parameters: Parameters): CompiledPattern {
  const assembly = new Assembly();
  const branches = parameters.cases === undefined ? thenOrElse(parameters) : casesOf(parameters);
  const steps = [
    ...decision(assembly, parameters),
    ...branches.map(({ id, when, call, at }) =>
      assembly.call(call, at, { id, when }, { input: '{{ input }}' }),
    ),
    assembly.compute('result', ranOf('branch', branches), '', { join: 'all_settled' }),
  ];
  return assembly.finish('conditional', parameters, { steps, output: '{{ steps.result.output }}' });
}

function thenOrElse({ then, else: otherwise }: Parameters): readonly Branch[] {
  return [
    ...(then ? [{ name: 'then', id: 'then', call: then, at: '/then', when: DECISION }] : []),
    ...(otherwise ? [{ name: 'else', id: 'else', call: otherwise, at: '/else', when: `!${DECISION}` }] : []),
  ];
}

function casesOf({ cases = [], default: otherwise }: Parameters): readonly Branch[] {
  const values = cases.map(({ value }) => value);
  const branches = cases.map((call, index) => ({
    name: call.value,
    id: `case${index + 1}`,
    call,
    at: `/cases/${index}`,
    when: `${DECISION} == ${quoted(call.value)}`,
  }));
  if (otherwise === undefined) return branches;
  const when = `!(${DECISION} in ${quotedList(values)})`;
  return [...branches, { name: 'default', id: 'default', call: otherwise, at: '/default', when }];
}

/** The steps that decide. */
function decision(assembly: Assembly, parameters: Parameters): readonly StepDefinition[] {
  const { condition, switch: value, decide, cases } = parameters;
  if (condition !== undefined) return [assembly.compute('decision', condition, '/condition')];
  if (decide === undefined) return [assembly.compute('decision', value ?? '', '/switch')];
  const { question } = decide;
  const names = cases?.map((one) => one.value) ?? ['yes', 'no'];
  const prompt = `${question}\n\nAnswer with exactly one of these and nothing else: ${names.join(', ')}`;
  const asked = assembly.call(
    decide,
    '/decide',
    { id: 'decide' },
    { input: { prompt }, from: '/decide/question' },
  );
  if (cases !== undefined) {
    return [
      asked,
      assembly.compute('decision', pickOf('steps.decide.output', names, 'mentioned'), '/decide'),
    ];
  }
  const said = pickOf('steps.decide.output', ['yes', 'no', 'true', 'false'], 'alone');
  const truth = `cel.bind(p, ${said}, p == null ? dyn(null) : dyn(p == "yes" || p == "true"))`;
  return [asked, assembly.compute('decision', truth, '/decide'), undecided(assembly)];
}

/** Neither yes nor no: the run fails. */
function undecided(assembly: Assembly): StepDefinition {
  const { code } = patternErrors['pattern.pick-unknown'];
  const message = 'expected yes or no, got {{ steps.decide.output | json }}';
  const step = { id: 'undecided', kind: 'fail', code, message, when: `${DECISION} == null` } as const;
  return assembly.from(step, '/decide');
}

type Field = 'condition' | 'switch' | 'decide' | 'then' | 'else' | 'cases' | 'default';
type Given = Readonly<Partial<Record<Field, unknown>>>;

function hasOneQuestion({ condition, switch: value, decide }: Given): boolean {
  return [condition, value, decide].filter((one) => one !== undefined).length === 1;
}

function hasItsBranches({ condition, switch: value, ...branches }: Given): boolean {
  const { then, else: otherwise, cases, default: last } = branches;
  const isBinary = then !== undefined && cases === undefined && last === undefined;
  const isSwitch = cases !== undefined && then === undefined && otherwise === undefined;
  if (condition !== undefined) return isBinary;
  return value === undefined ? isBinary || isSwitch : isSwitch;
}
