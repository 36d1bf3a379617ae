import { readFileSync } from 'node:fs';

import type { JsonObject } from '../../kernel/json.js';
import { compileDefinition } from '../../workflows/domain/compile-definition.js';
import { listSchemaIssues } from '../../workflows/domain/definition-issues.js';
import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { patternExamples } from '../examples.js';
import type { CompiledPattern } from './assembly.js';
import { issuesOfParameters } from './origin.js';
import { findPattern, PATTERN_NAMES, type PatternName } from './patterns.js';

const echo = { agent: 'echo' };

function compile(name: PatternName, parameters: JsonObject): CompiledPattern {
  const pattern = findPattern(name);
  if (pattern === undefined) throw new Error(`there is no pattern ${name}`);
  expect(listSchemaIssues(pattern.schema, parameters)).toEqual([]);
  return pattern.compile(parameters);
}

/** Every step by its id, those of bodies included. */
function stepsOf(steps: readonly StepDefinition[]): ReadonlyMap<string, StepDefinition> {
  return new Map(
    steps.flatMap((step) => [
      [step.id, step] as const,
      ...(step.kind === 'loop' ? stepsOf(step.repeat.body.steps) : []),
    ]),
  );
}

describe.each(PATTERN_NAMES)('%s', (name) => {
  const { parameters } = patternExamples[name];

  it('compiles its example to a definition that may run', () => {
    const { definition } = compile(name, parameters);
    const compiled = compileDefinition(definition, { maxSteps: 100 });

    expect(compiled.ok ? [] : compiled.failure).toEqual([]);
    expect(definition.name).toBe(name);
  });

  it('has an example in docs/examples', () => {
    const text = readFileSync(`docs/examples/patterns/${name}.json`, 'utf8');

    expect(JSON.parse(text)).toEqual(patternExamples[name]);
  });

  it('hands on what is said of the run, and leaves the parameters as they are', () => {
    const more = { name: 'mine', timeoutMs: 5, retry: { maxAttempts: 1 }, inputSchema: { type: 'object' } };
    const given = { ...parameters, ...more };
    const before = JSON.stringify(given);

    expect(compile(name, given).definition).toMatchObject(more);
    expect(JSON.stringify(given)).toBe(before);
  });
});

describe('parameters become definitions', () => {
  it.each<readonly [string, PatternName, JsonObject, Readonly<Record<string, JsonObject>>]>([
    [
      'a step that says nothing else is given what came before',
      'sequential',
      { steps: [echo, { id: 'b', ...echo }] },
      { step1: { input: '{{ input }}' }, b: { input: '{{ steps.step1.output }}', dependsOn: ['step1'] } },
    ],
    [
      'a prompt is the input of a step',
      'sequential',
      { steps: [{ ...echo, prompt: 'Hi {{ previous.output }}', timeoutMs: 9 }], stopOnError: false },
      { step1: { input: { prompt: 'Hi {{ input }}' }, timeoutMs: 9, onError: 'continue' } },
    ],
    [
      'a template stands in place of an input',
      'parallel',
      { branches: [{ ...echo, template: { name: 'greeting' } }] },
      { branch1: { template: { name: 'greeting' } } },
    ],
    [
      'branches that settle go on',
      'parallel',
      { branches: [echo], failure: 'settle' },
      { branch1: { onError: 'continue' } },
    ],
    [
      'a condition leads to one of two',
      'conditional',
      { condition: 'input.a', then: echo, else: echo },
      {
        decision: { kind: 'transform', expression: 'input.a' },
        then: { when: 'steps.decision.output' },
        else: { when: '!steps.decision.output' },
      },
    ],
    [
      'items are mapped with their limits',
      'map-reduce',
      { items: 'input.list', map: echo, reduce: echo, maxConcurrency: 3, toleratedFailureCount: 2 },
      {
        map: {
          forEach: { items: 'input.list', maxConcurrency: 3, toleratedFailureCount: 2 },
          input: '{{ item }}',
        },
      },
    ],
    [
      'a fan-in reduces in groups, as often as the most items need',
      'map-reduce',
      { items: [], map: echo, reduce: echo, fanIn: 10 },
      {
        reduce: { kind: 'loop', repeat: { maxIterations: 4, until: 'size(output) <= 1' } },
        combine: { forEach: { batchSize: 10 } },
      },
    ],
    [
      'candidates run when they are picked',
      'router',
      { task: 'Sing', router: echo, candidates: [{ name: 'alto', description: 'low', ...echo }] },
      {
        alto: { when: 'steps.pick.output == "alto"', input: { prompt: 'Sing' } },
        unknown: { kind: 'fail', code: 'pattern.pick-unknown' },
      },
    ],
    [
      'drafts are made until the threshold, or as often as allowed',
      'critique',
      {
        task: 'Write',
        generator: echo,
        judge: echo,
        criteria: [{ name: 'wit' }],
        threshold: 7.5,
        maxIterations: 6,
      },
      {
        refine: { repeat: { until: 'output.best.score >= 7.5', maxIterations: 6, onExhausted: 'continue' } },
        generate: { when: 'iteration == 0', input: { prompt: 'Write' } },
        improve: { when: 'iteration > 0' },
      },
    ],
    [
      'a moderator may end the rounds',
      'debate',
      {
        topic: 'Tea',
        participants: [
          { name: 'a', ...echo },
          { name: 'b', ...echo },
        ],
        synthesis: echo,
        moderator: echo,
        rounds: 4,
      },
      { debate: { repeat: { until: 'output.agreed', maxIterations: 4, onExhausted: 'continue' } } },
    ],
    [
      'delegates do the tasks that they are given',
      'supervisor',
      {
        goal: 'Win',
        supervisor: echo,
        delegates: [{ name: 'ann', description: 'x', ...echo }],
        maxRounds: 2,
      },
      {
        supervise: { repeat: { until: 'output.done', maxIterations: 2, onExhausted: 'fail' } },
        ann: {
          forEach: { items: 'steps.orders.output.tasks.filter(t, t.delegate == "ann")' },
          input: { prompt: '{{ item.task }}' },
        },
      },
    ],
  ])('%s (%s)', (_, name, parameters, expected) => {
    const steps = stepsOf(compile(name, parameters).definition.steps);

    for (const [id, step] of Object.entries(expected)) expect(steps.get(id)).toMatchObject(step);
  });

  it('are limited where the pattern limits concurrency', () => {
    expect(compile('parallel', { branches: [echo], maxConcurrency: 4 }).definition.maxParallelSteps).toBe(4);
  });
});

describe('a problem of a definition', () => {
  const parameters = {
    timeoutMs: 1,
    steps: [
      { id: 'a', ...echo, prompt: 'x' },
      { ...echo, input: { deep: ['x'] } },
    ],
  };

  it.each([
    ['/steps/0/input/prompt', '/steps/0/prompt'],
    ['/steps/0/agent', '/steps/0/agent'],
    ['/steps/0/dependsOn/0', '/steps/0'],
    ['/steps/1/input/deep/0', '/steps/1/input/deep/0'],
    ['/steps/1/id', '/steps/1'],
    ['/timeoutMs', '/timeoutMs'],
    ['/output', ''],
    ['', ''],
  ])('at %s is one of the parameters at "%s"', (pointer, expected) => {
    const issue = { pointer, code: 'field.invalid', message: 'x' };
    const [found] = issuesOfParameters([issue], compile('sequential', parameters), parameters);

    expect(found).toEqual({ ...issue, pointer: expected });
  });
});

it('finds no pattern by a name that is none', () => {
  expect(['swarm', 'constructor', '__proto__', ''].map(findPattern)).toEqual(Array(4).fill(undefined));
});
