import { compileDefinition } from './compile-definition.js';

type Row = [what: string, definition: unknown, pointer: string, code: string, message: string];

/** A definition with one good step, changed. */
function withStep(change: object): unknown {
  return { steps: [{ id: 'a', agent: 'echo', ...change }] };
}

function withField(change: object): unknown {
  return { steps: [{ id: 'a', agent: 'echo' }], ...change };
}

function json(text: string): unknown {
  return JSON.parse(text) as unknown;
}

function issuesOf(definition: unknown): readonly { pointer: string; code: string; message: string }[] {
  const result = compileDefinition(definition, { maxSteps: 100 });
  return result.ok ? [] : result.failure;
}

describe('a definition is refused', () => {
  it.each<Row>([
    ['null', null, '', 'field.invalid', 'expected object, got null'],
    ['a list', [], '', 'field.invalid', 'expected object, got a list'],
    ['nothing', undefined, '', 'field.required', '"definition" is required'],
    ['without steps', {}, '/steps', 'field.required', '"steps" is required'],
    ['no steps', { steps: [] }, '/steps', 'field.invalid', 'expected array to have >=1 items, got a list'],
    ['steps that are no list', { steps: {} }, '/steps', 'field.invalid', 'expected array, got an object'],
    ['a step that is no object', { steps: [5] }, '/steps/0', 'field.invalid', 'expected object, got 5'],
    ['an unknown field', withField({ step: [] }), '/step', 'field.unknown', 'there is no field "step" here'],
    [
      'an unknown field of a step',
      withStep({ 'depends/on': [] }),
      '/steps/0/depends~1on',
      'field.unknown',
      'depends/on',
    ],
    [
      'an unknown field of a policy',
      withStep({ retry: { attempts: 3 } }),
      '/steps/0/retry/attempts',
      'field.unknown',
      'attempts',
    ],
    [
      'a field __proto__',
      json('{"steps":[{"id":"a","agent":"echo"}],"__proto__":{}}'),
      '/__proto__',
      'field.unknown',
      '__proto__',
    ],
    [
      'a field __proto__ of a step',
      json('{"steps":[{"id":"a","agent":"echo","__proto__":{}}]}'),
      '/steps/0/__proto__',
      'field.unknown',
      '__proto__',
    ],
    [
      'a field constructor of a step',
      withStep({ constructor: 1 }),
      '/steps/0/constructor',
      'field.unknown',
      'constructor',
    ],
    [
      'a step without an id',
      { steps: [{ agent: 'echo' }] },
      '/steps/0/id',
      'field.required',
      '"id" is required',
    ],
    [
      'a step without an agent',
      { steps: [{ id: 'a' }] },
      '/steps/0/agent',
      'field.required',
      '"agent" is required',
    ],
    ['an id that begins with a digit', withStep({ id: '1a' }), '/steps/0/id', 'field.invalid', 'got "1a"'],
    ['an id that is too long', withStep({ id: 'a'.repeat(65) }), '/steps/0/id', 'field.invalid', 'pattern'],
    ['an id that is a number', withStep({ id: 5 }), '/steps/0/id', 'field.invalid', 'expected string, got 5'],
    ['an unknown kind', withStep({ kind: 'magic' }), '/steps/0/kind', 'field.invalid', 'got "magic"'],
    [
      'an agent of another type',
      withStep({ agent: 5 }),
      '/steps/0/agent',
      'field.invalid',
      'expected string or object, got 5',
    ],
    ['an empty agent', withStep({ agent: '' }), '/steps/0/agent', 'field.invalid', '>=1 characters, got ""'],
    [
      'an agent without a key',
      withStep({ agent: {} }),
      '/steps/0/agent/key',
      'field.required',
      '"key" is required',
    ],
    [
      'an agent with an unknown field',
      withStep({ agent: { key: 'a', pin: 1 } }),
      '/steps/0/agent/pin',
      'field.unknown',
      'pin',
    ],
    [
      'an agent pinned twice',
      withStep({ agent: { key: 'a', version: 1, label: 'x' } }),
      '/steps/0/agent',
      'field.invalid',
      'not both',
    ],
    [
      'version 0',
      withStep({ agent: { key: 'a', version: 0 } }),
      '/steps/0/agent/version',
      'field.invalid',
      'got 0',
    ],
    [
      'a join that does not exist',
      withStep({ join: 'some' }),
      '/steps/0/join',
      'field.invalid',
      'got "some"',
    ],
    ['an empty condition', withStep({ when: '' }), '/steps/0/when', 'field.invalid', 'got ""'],
    [
      'a condition that is no text',
      withStep({ when: true }),
      '/steps/0/when',
      'field.invalid',
      'expected string, got true',
    ],
    ['a timeout of 0', withStep({ timeoutMs: 0 }), '/steps/0/timeoutMs', 'field.invalid', '>=1, got 0'],
    [
      'a timeout that is no integer',
      withStep({ timeoutMs: 1.5 }),
      '/steps/0/timeoutMs',
      'field.invalid',
      'expected int, got 1.5',
    ],
    [
      'no attempts',
      withStep({ retry: { maxAttempts: 0 } }),
      '/steps/0/retry/maxAttempts',
      'field.invalid',
      'got 0',
    ],
    [
      'an unknown jitter',
      withField({ retry: { jitter: 'half' } }),
      '/retry/jitter',
      'field.invalid',
      'got "half"',
    ],
    [
      'a first delay above the largest',
      withStep({ retry: { initialIntervalMs: 60_000 } }),
      '/steps/0/retry',
      'field.invalid',
      'maxIntervalMs, which is 30000',
    ],
    [
      'a name that is too long',
      withField({ name: 'n'.repeat(201) }),
      '/name',
      'field.invalid',
      '<=200 characters',
    ],
    [
      'context that is a list',
      withField({ context: [] }),
      '/context',
      'field.invalid',
      'expected object, got a list',
    ],
    [
      'a schema that is a text',
      withStep({ outputSchema: 'string' }),
      '/steps/0/outputSchema',
      'field.invalid',
      'expected object',
    ],
    [
      'too much parallel work',
      withField({ maxParallelSteps: 1_001 }),
      '/maxParallelSteps',
      'field.invalid',
      '<=1000, got 1001',
    ],
    [
      'a dependency that does not exist',
      withStep({ dependsOn: ['b'] }),
      '/steps/0/dependsOn/0',
      'step.unknown-dependency',
      'there is no step "b"',
    ],
    [
      'a dependency by a bad id',
      withStep({ dependsOn: ['__proto__'] }),
      '/steps/0/dependsOn/0',
      'field.invalid',
      'got "__proto__"',
    ],
    [
      'a condition that reads no step',
      withStep({ when: 'steps.b.output' }),
      '/steps/0/when',
      'reference.unknown-step',
      'there is no step "b"',
    ],
    [
      'an input that reads no step',
      withStep({ input: { a: ['{{ steps.b.output }}'] } }),
      '/steps/0/input/a/0',
      'reference.unknown-step',
      'there is no step "b"',
    ],
    [
      'an output that reads no step',
      withField({ output: { 'a~': '{{ steps.b.output }}' } }),
      '/output/a~0',
      'reference.unknown-step',
      'there is no step "b"',
    ],
    [
      'a bad condition',
      withStep({ when: 'input.a >' }),
      '/steps/0/when',
      'expression.invalid',
      '(line 1, column 10)',
    ],
    [
      'a condition of another type',
      withStep({ when: '"yes"' }),
      '/steps/0/when',
      'expression.invalid',
      'of type string',
    ],
    [
      'a bad template',
      withStep({ input: { p: 'a\n{{ input.a' } }),
      '/steps/0/input/p',
      'expression.invalid',
      '(line 2, column 1)',
    ],
    [
      'a root that is not there',
      withStep({ input: '{{ item }}' }),
      '/steps/0/input',
      'reference.unknown-root',
      '"item" is not available here',
    ],
    [
      'secrets',
      withStep({ input: '{{ secrets.key }}' }),
      '/steps/0/input',
      'reference.unknown-root',
      '"secrets" is not',
    ],
    [
      'a step whose id is computed',
      withStep({ when: 'steps[input.a].output' }),
      '/steps/0/when',
      'reference.not-static',
      'name the step',
    ],
    [
      'a field that steps do not have',
      withField({ output: '{{ steps.a.result }}' }),
      '/output',
      'reference.unknown-field',
      'steps.a.result',
    ],
  ])('for %s', (_what, ...[definition, pointer, code, message]) => {
    expect(issuesOf(definition)).toEqual([{ pointer, code, message: expect.stringContaining(message) }]);
  });

  it('with every problem at once', () => {
    const definition = {
      nmae: 'x',
      steps: [
        { id: 'a', agent: 'echo', dependsOn: ['b', 'zz'], when: 'steps.q.output > 1' },
        { id: 'b', agent: 'echo', dependsOn: ['a'], timeoutMs: 'soon', input: ['{{ input.x', '{{ nope }}'] },
        { id: 'a', agent: 7 },
        'step',
        { id: 'c', retry: { initialIntervalMs: 5, maxIntervalMs: 1 } },
      ],
      output: '{{ steps.nobody.output }}',
    };

    expect(
      issuesOf(definition)
        .map(({ pointer, code }) => `${pointer} ${code}`)
        .toSorted(),
    ).toEqual([
      '/nmae field.unknown',
      '/output reference.unknown-step',
      '/steps/0 graph.cycle',
      '/steps/0/dependsOn/1 step.unknown-dependency',
      '/steps/0/when reference.unknown-step',
      '/steps/1/input/0 expression.invalid',
      '/steps/1/input/1 reference.unknown-root',
      '/steps/1/timeoutMs field.invalid',
      '/steps/2/agent field.invalid',
      '/steps/2/id step.duplicate-id',
      '/steps/3 field.invalid',
      '/steps/4/agent field.required',
      '/steps/4/retry field.invalid',
    ]);
  });
});
