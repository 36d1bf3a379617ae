import type { Json } from '../../kernel/json.js';
import { compileDefinition, type CompiledDefinition } from './compile-definition.js';
import type { CompiledStep } from './graph.js';
import { DEFAULT_RETRY } from './retry-policy.js';

const LIMITS = { maxSteps: 10_000 };

describe('a compiled definition', () => {
  it('is the one that was sent, the same object with the same text', () => {
    const text =
      '{"steps":[{"agent":"echo","id":"a","input":{"b":1,"__proto__":{"x":[]},"constructor":"{{ input.c }}"}}],"context":{"__proto__":{"y":1},"z":{"__proto__":2}},"name":"n"}';
    const json = JSON.parse(text) as unknown;
    const { definition } = compile(json);

    expect(definition).toBe(json);
    expect(JSON.stringify(definition)).toBe(text);
    expect(definition.context?.['z']).toEqual(JSON.parse('{"__proto__":2}'));
  });

  it('gives a step what it does not say itself', () => {
    const { graph } = compile({ steps: [{ id: 'a', agent: 'echo' }] });

    expect(graph.steps[0]).toMatchObject({
      index: 0,
      id: 'a',
      key: 'a',
      pointer: '/steps/0',
      work: { kind: 'agent', agentKey: 'echo', input: { json: {} } },
      layers: [],
      dependencies: [],
      dependents: [],
      reads: { own: [], outer: [] },
      isConstant: true,
      join: 'none_failed',
      onError: 'fail',
      retry: DEFAULT_RETRY,
      hasPolicy: false,
    });
    expect(graph.steps[0]).not.toHaveProperty('when');
    expect(graph.steps[0]).not.toHaveProperty('timeoutMs');
    expect(graph).not.toHaveProperty('output');
    expect(graph.outputReads).toEqual({ own: [], outer: [] });
  });

  it('keeps what a step says', () => {
    const step = {
      id: 'b',
      kind: 'agent',
      name: 'Second',
      agent: { key: 'claude', label: 'production' },
      dependsOn: ['a'],
      when: 'input.go',
      join: 'all_settled',
      onError: 'continue',
      retry: { maxAttempts: 7 },
      timeoutMs: 5,
      totalTimeoutMs: 9,
      outputSchema: { type: 'object' },
      input: { prompt: '{{ input.mood }}' },
    };
    const compiled = stepOf({ retry: { jitter: 'none' }, steps: [{ id: 'a', agent: 'echo' }, step] }, 'b');

    expect(compiled).toMatchObject({
      work: { agentKey: 'claude' },
      dependencies: [0],
      isConstant: false,
      join: 'all_settled',
      onError: 'continue',
      retry: { ...DEFAULT_RETRY, maxAttempts: 7, jitter: 'none' },
      hasPolicy: true,
      timeoutMs: 5,
      totalTimeoutMs: 9,
      when: { text: 'input.go' },
    });
    expect(compiled.definition).toBe(step);
  });

  it('has a policy in every step when the definition gives one', () => {
    expect(stepOf({ retry: {}, steps: [{ id: 'a', agent: 'echo' }] }, 'a').hasPolicy).toBe(true);
  });

  it('finds a step by its id, whatever that is', () => {
    const ids = ['constructor', 'toString', 'hasOwnProperty', 'a-b_C9'];
    const { graph } = compile({ steps: ids.map((id) => ({ id, agent: 'echo' })) });

    expect(ids.map((id) => graph.indexOf.get(id))).toEqual([0, 1, 2, 3]);
    expect(graph.indexOf.get('__proto__')).toBeUndefined();
  });
});

describe('edges', () => {
  const steps = [
    { id: 'd', agent: 'echo', dependsOn: ['b', 'a', 'b'], when: 'steps.c.status == "completed"' },
    { id: 'c', agent: 'echo', input: { text: 'so: {{ steps.a.output | append: steps["b-1"].output }}' } },
    { id: 'b', agent: 'echo', dependsOn: ['a'], input: ['{{ steps.a.output }}'] },
    { id: 'a', agent: 'echo' },
    { id: 'b-1', agent: 'echo', dependsOn: ['a'] },
  ];
  const { graph } = compile({ steps, output: { d: '{{ steps.d.output }}', a: '{{ steps.a.status }}' } });

  it('come from dependsOn and from every step that an expression mentions, each once, ascending', () => {
    expect(graph.steps.map(({ dependencies }) => dependencies)).toEqual([[1, 2, 3], [3, 4], [3], [], [3]]);
    expect(graph.edgeCount).toBe(7);
  });

  it('are known from their other end', () => {
    expect(graph.steps.map(({ dependents }) => dependents)).toEqual([[], [0], [0], [0, 1, 2, 4], [1]]);
  });

  it('are no reads unless an expression reads', () => {
    expect(graph.steps.map(({ reads }) => reads.own)).toEqual([[1], [3, 4], [3], [], []]);
  });

  it('are not made by the output, which may read any step', () => {
    expect(graph.outputReads.own).toEqual([0, 3]);
  });
});

describe('a cycle', () => {
  it.each<[what: string, steps: Json[], pointer: string, path: string]>([
    ['of two steps', [step('a', ['b']), step('b', ['a'])], '/steps/0', 'a → b → a'],
    [
      'of three steps',
      [step('x'), step('c', ['b', 'x']), step('b', ['a']), step('a', ['c'])],
      '/steps/1',
      'c → b → a → c',
    ],
    ['of one step', [step('a'), step('b', ['b'])], '/steps/1', 'b → b'],
    [
      'through a reference',
      [
        { id: 'a', agent: 'echo', when: 'steps.b.output > 1' },
        { id: 'b', agent: 'echo', input: '{{ steps.a.output }}' },
      ],
      '/steps/0',
      'a → b → a',
    ],
    [
      'of a step that reads itself',
      [{ id: 'a', agent: 'echo', input: '{{ steps.a.output }}' }],
      '/steps/0',
      'a → a',
    ],
  ])('%s is named with its path', (_what, steps, pointer, path) => {
    expect(issuesOf({ steps })).toEqual([
      { pointer, code: 'graph.cycle', message: `each of these steps waits for the next: ${path}` },
    ]);
  });

  it('is shortened in the message when it is long', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
    const [issue] = issuesOf({ steps: ids.map((id, index) => step(id, [ids[(index + 1) % 1_000] ?? ''])) });

    expect(issue?.message).toMatch(/s0 → s1 → .* → s48 → … → s0$/);
  });
});

describe('limits', () => {
  it('refuse too many steps, and say nothing else', () => {
    const steps = [step('a'), step('a'), { nonsense: true }];

    expect(compileDefinition({ steps }, { maxSteps: 2 })).toEqual({
      ok: false,
      failure: [
        {
          pointer: '/steps',
          code: 'definition.too-many-steps',
          message: 'a definition has at most 2 steps, this one has 3',
        },
      ],
    });
  });

  it('refuse more than 50 edges for each step', () => {
    const ids = Array.from({ length: 110 }, (_, index) => `s${index}`);
    const steps = ids.map((id, index) => step(id, ids.slice(0, index)));

    expect(issuesOf({ steps })).toMatchObject([{ pointer: '/steps', code: 'definition.too-many-edges' }]);
  });

  it('let a definition of 10,000 steps pass', () => {
    const steps = Array.from({ length: 10_000 }, (_, index) => ({
      id: `s${index}`,
      agent: 'echo',
      ...(index > 1 && {
        dependsOn: [`s${index - 1}`],
        when: `steps.s${index - 1}.status == "completed"`,
        input: { prompt: `After {{ steps.s${index - 2}.output.text }}` },
      }),
    }));

    expect(compile({ steps }).graph.edgeCount).toBe(19_996);
  });
});

function step(id: string, dependsOn?: string[]): Json {
  return { id, agent: 'echo', ...(dependsOn && { dependsOn }) };
}

function compile(json: unknown): CompiledDefinition {
  const result = compileDefinition(json, LIMITS);
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

function stepOf(json: unknown, id: string): CompiledStep {
  const { graph } = compile(json);
  const found = graph.steps[graph.indexOf.get(id) ?? -1];
  if (found === undefined) throw new Error(`there is no step ${id}`);
  return found;
}

function issuesOf(json: unknown): readonly { pointer: string; code: string; message: string }[] {
  const result = compileDefinition(json, LIMITS);
  return result.ok ? [] : result.failure;
}
