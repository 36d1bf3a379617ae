/** Definitions with kinds, lists, repetitions and bodies: what is accepted, and what is refused where. */
import { compileDefinition } from './compile-definition.js';
import { allSteps, type Graph } from './graph.js';

type Row = readonly [what: string, step: object, pointer: string, code: string];

function issuesOf(definition: unknown, maxSteps = 100): readonly string[] {
  const result = compileDefinition(definition, { maxSteps });
  return result.ok ? [] : result.failure.map(({ pointer, code }) => `${pointer} ${code}`);
}

function graphOf(definition: unknown): Graph {
  const result = compileDefinition(definition, { maxSteps: 100 });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value.graph;
}

const loop = (body: object, more: object = {}): object => ({
  id: 'x',
  kind: 'loop',
  repeat: { until: 'output.ok', body },
  ...more,
});
const inner = (more: object = {}): object => ({ steps: [{ id: 'in', agent: 'echo', ...more }] });

describe('a step is accepted', () => {
  it.each<readonly [string, object]>([
    ['that computes', { kind: 'transform', expression: 'steps.a.output.map(n, n * 2)' }],
    [
      'that asks',
      {
        kind: 'approval',
        prompt: 'Go on with {{ steps.a.output }}?',
        form: { type: 'object' },
        assignees: ['{{ steps.a.output.who }}', 'ada'],
        timeoutMs: 5,
        onTimeout: { output: '{{ steps.a.output }}' },
        onReject: 'continue',
      },
    ],
    ['that fails', { kind: 'fail', code: 'order.rejected', message: 'no {{ steps.a.output }}' }],
    ['that waits for a duration', { kind: 'wait', durationMs: 5 }],
    ['that waits until an instant', { kind: 'wait', until: '{{ steps.a.output.at }}' }],
    [
      'that maps over an expression',
      { agent: 'echo', forEach: { items: 'steps.a.output' }, input: '{{ item }} {{ index }}' },
    ],
    [
      'that maps over a list',
      { kind: 'transform', expression: 'item + index', forEach: { items: [1, 2], batchSize: 1 } },
    ],
    [
      'that is repeated',
      { agent: 'echo', repeat: { until: 'output == previous || iteration > 3' }, input: '{{ previous }}' },
    ],
    ['that repeats a body', loop(inner({ input: '{{ iteration }} {{ previous }} {{ steps.a.output }}' }))],
    ['that maps over a body', loop(inner({ input: '{{ item }}' }), { forEach: { items: 'steps.a.output' } })],
  ])('%s', (_, step) => {
    expect(
      issuesOf({
        steps: [
          { id: 'a', agent: 'echo' },
          { id: 'x', ...step },
        ],
      }),
    ).toEqual([]);
  });
});

describe('a step is refused', () => {
  it.each<Row>([
    ['of an unknown kind', { kind: 'magic' }, '/kind', 'field.invalid'],
    ['that asks nobody', { kind: 'approval', assignees: [] }, '/assignees', 'field.invalid'],
    ['that asks with a form that is a text', { kind: 'approval', form: 'x' }, '/form', 'field.invalid'],
    ['that asks for no time', { kind: 'approval', timeoutMs: 0 }, '/timeoutMs', 'field.invalid'],
    ['that asks and is retried', { kind: 'approval', retry: {} }, '/retry', 'field.unknown'],
    ['with another route', { kind: 'approval', onTimeout: 'skip' }, '/onTimeout', 'field.invalid'],
    ['with another rejection', { kind: 'approval', onReject: 'skip' }, '/onReject', 'field.invalid'],
    ['that computes nothing', { kind: 'transform' }, '/expression', 'field.required'],
    [
      'that computes with a bad expression',
      { kind: 'transform', expression: '1 +' },
      '/expression',
      'expression.invalid',
    ],
    [
      'that computes and calls',
      { kind: 'transform', expression: '1', agent: 'echo' },
      '/agent',
      'field.unknown',
    ],
    ['that fails without a code', { kind: 'fail' }, '/code', 'field.required'],
    ['that fails with a code of another form', { kind: 'fail', code: 'Bad' }, '/code', 'field.invalid'],
    ['that waits for nothing', { kind: 'wait' }, '', 'field.invalid'],
    ['that waits twice', { kind: 'wait', durationMs: 1, until: 'x' }, '', 'field.invalid'],
    ['that waits too long', { kind: 'wait', durationMs: 1e12 }, '/durationMs', 'field.invalid'],
    ['that loops without a repetition', { kind: 'loop' }, '/repeat', 'field.required'],
    ['that loops without a body', { kind: 'loop', repeat: {} }, '/repeat/body', 'field.required'],
    ['whose handler is unknown', { agent: 'echo', catch: 'none' }, '/catch', 'step.unknown-dependency'],
    ['that handles itself', { agent: 'echo', catch: 'x' }, '', 'graph.cycle'],
    ['that calls with a body', { agent: 'echo', repeat: { body: inner() } }, '/repeat/body', 'field.unknown'],
    ['that loops over no steps', loop({ steps: [] }), '/repeat/body/steps', 'field.invalid'],
    ['that maps over nothing', { agent: 'echo', forEach: {} }, '/forEach/items', 'field.required'],
    ['that maps over a number', { agent: 'echo', forEach: { items: 3 } }, '/forEach/items', 'field.invalid'],
    [
      'that maps with a bad expression',
      { agent: 'echo', forEach: { items: '[' } },
      '/forEach/items',
      'expression.invalid',
    ],
    [
      'that reads its item in its condition',
      { agent: 'echo', when: 'item > 1', forEach: { items: [1] } },
      '/when',
      'reference.unknown-root',
    ],
    [
      'that reads an item without a list',
      { agent: 'echo', input: '{{ item }}' },
      '/input',
      'reference.unknown-root',
    ],
    [
      'that reads an iteration without a repetition',
      { agent: 'echo', input: '{{ previous }}' },
      '/input',
      'reference.unknown-root',
    ],
    [
      'that reads its output in its input',
      { agent: 'echo', repeat: {}, input: '{{ output }}' },
      '/input',
      'reference.unknown-root',
    ],
    [
      'whose repetition ends by a number',
      { agent: 'echo', repeat: { until: '1' } },
      '/repeat/until',
      'expression.invalid',
    ],
    [
      'repeated too often',
      { agent: 'echo', repeat: { maxIterations: 10_001 } },
      '/repeat/maxIterations',
      'field.invalid',
    ],
    [
      'tolerating more than all',
      { agent: 'echo', forEach: { items: [], toleratedFailurePercentage: 101 } },
      '/forEach/toleratedFailurePercentage',
      'field.invalid',
    ],
    ['with a bad step in its body', loop(inner({ agent: 3 })), '/repeat/body/steps/0/agent', 'field.invalid'],
    [
      'with an unknown reference in its body',
      loop(inner({ input: '{{ steps.none.output }}' })),
      '/repeat/body/steps/0/input',
      'reference.unknown-step',
    ],
    [
      'with an unknown reference in the output of its body',
      loop({ ...inner(), output: '{{ steps.none.output }}' }),
      '/repeat/body/output',
      'reference.unknown-step',
    ],
    [
      'whose body hides a step around it',
      loop({ steps: [{ id: 'a', agent: 'echo' }] }),
      '/repeat/body/steps/0/id',
      'step.duplicate-id',
    ],
    [
      'whose body has an id twice',
      loop({
        steps: [
          { id: 'i', agent: 'echo' },
          { id: 'i', agent: 'echo' },
        ],
      }),
      '/repeat/body/steps/1/id',
      'step.duplicate-id',
    ],
    [
      'whose body waits for a step around it by id',
      loop(inner({ dependsOn: ['a'] })),
      '/repeat/body/steps/0/dependsOn/0',
      'step.unknown-dependency',
    ],
    ['whose body reads the loop', loop(inner({ input: '{{ steps.x.output }}' })), '', 'graph.cycle'],
    [
      'whose body has a cycle',
      loop({ steps: [{ id: 'i', agent: 'echo', dependsOn: ['i'] }] }),
      '/repeat/body/steps/0',
      'graph.cycle',
    ],
    [
      'whose body has a bad policy',
      loop(inner({ retry: { initialIntervalMs: 9, maxIntervalMs: 1 } })),
      '/repeat/body/steps/0/retry',
      'field.invalid',
    ],
  ])('%s', (_, step, pointer, code) => {
    expect(
      issuesOf({
        steps: [
          { id: 'a', agent: 'echo' },
          { id: 'x', ...step },
        ],
      }),
    ).toContain(`/steps/1${pointer} ${code}`);
  });

  it('that reads a step inside a loop', () => {
    const steps = [loop(inner()), { id: 'y', agent: 'echo', input: '{{ steps.in.output }}' }];

    expect(issuesOf({ steps })).toEqual(['/steps/1/input reference.unknown-step']);
  });
});

describe('a body', () => {
  const graph = graphOf({
    steps: [
      { id: 'a', agent: 'echo' },
      { id: 'b', agent: 'echo' },
      {
        id: 'x',
        kind: 'loop',
        repeat: {
          until: 'steps.b.output',
          body: {
            steps: [
              { id: 'i', agent: 'echo', input: '{{ steps.a.output }}' },
              {
                id: 'deep',
                kind: 'loop',
                repeat: {
                  body: {
                    steps: [{ id: 'leaf', agent: 'echo', input: '{{ steps.i.output }}{{ steps.a.output }}' }],
                  },
                },
              },
            ],
          },
        },
      },
    ],
  });
  const byKey = new Map([...allSteps(graph)].map((step) => [step.key, step]));

  it('makes edges of its loop from what it reads around it, however deep', () => {
    expect(byKey.get('x')?.dependencies).toEqual([0, 1]);
    expect(byKey.get('x/deep')?.dependencies).toEqual([0]);
    expect(byKey.get('x/deep/leaf')?.dependencies).toEqual([]);
  });

  it('knows where what it reads stands', () => {
    expect(byKey.get('x')?.reads).toEqual({ own: [1], outer: [] });
    expect(byKey.get('x/i')?.reads).toEqual({ own: [], outer: [{ up: 1, index: 0 }] });
    expect(byKey.get('x/deep/leaf')?.reads.outer).toEqual([
      { up: 1, index: 0 },
      { up: 2, index: 0 },
    ]);
  });

  it('counts toward the limit of steps', () => {
    expect(issuesOf({ steps: [loop(inner())] }, 1)).toEqual(['/steps definition.too-many-steps']);
  });
});
