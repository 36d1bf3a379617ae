import { given, runFact, stepFact, type Fact } from '../../../test/support/given.js';
import type { Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { evaluator } from './evaluate.js';
import { ALL_INLINE } from './kept.js';
import type { Resolution } from './run.commands.js';
import { initialState, liveUnit, type RunState } from './run.state.js';
import { graphOf, queuedEvent } from '../../../test/support/simulated-run.js';

const REFUSED: Failure = {
  code: 'agent.refused',
  kind: 'upstream',
  message: 'no',
  retryable: false,
  details: { secret: 'not for expressions' },
};

const started = runFact('run.started', {});
const done = (id: string, output: Json): readonly Fact[] => [
  stepFact('step.started', `${id}#1`, { input: {} }),
  stepFact('step.completed', `${id}#1`, { output }),
];
const echo = (id: string, more: object = {}): object => ({ id, agent: 'echo', ...more });

/** How step `x` of a definition goes on. */
function resolve(definition: object, facts: readonly Fact[] = []): Resolution {
  return resolveIn(given(definition, [started, ...facts]).state);
}

function resolveIn(state: RunState): Resolution {
  const unit = liveUnit(state, 'x');
  if (unit === undefined) throw new Error('there is no step x');
  return evaluator.resolve({ state, contents: ALL_INLINE }, unit, 0);
}

describe('a ready step', () => {
  it('starts with its input as it stands when nothing is to be evaluated', () => {
    const input = { a: [1, 'text'], b: null };

    expect(resolve({ steps: [echo('x', { input })] })).toEqual({ kind: 'start', input });
  });

  it('starts with an empty object when it has no input', () => {
    expect(resolve({ steps: [echo('x')] })).toEqual({ kind: 'start', input: {} });
  });

  it.each([
    ['true', { kind: 'start', input: 1 }],
    ['false', { kind: 'skip', reason: 'condition-false' }],
    ['steps.a.output.n > 1', { kind: 'start', input: 1 }],
    ['steps.a.output.n > 2', { kind: 'skip', reason: 'condition-false' }],
  ])('whose condition is %s', (when, resolution) => {
    const definition = { steps: [echo('a'), echo('x', { when, input: 1, dependsOn: ['a'] })] };

    expect(resolve(definition, done('a', { n: 2 }))).toEqual(resolution);
  });

  it.each([
    ['its condition', 'when', { when: 'steps.a.output.missing > 1', input: 1 }],
    ['its input', 'input', { input: { text: '{{ steps.a.output.missing }}' } }],
  ])('fails when %s can not be evaluated, and says where', (_, field, more) => {
    const resolution = resolve({ steps: [echo('a'), echo('x', more)] }, done('a', {}));

    expect(resolution).toMatchObject({
      kind: 'fail',
      failure: { retryable: false, details: { field }, message: expect.stringMatching(`^${field}: `) },
    });
  });

  it('does not evaluate its input when its condition is false', () => {
    const x = echo('x', { when: 'false', input: '{{ steps.a.output.missing }}' });

    expect(resolve({ steps: [echo('a'), x] }, done('a', {}))).toEqual({
      kind: 'skip',
      reason: 'condition-false',
    });
  });
});

describe('what an expression sees', () => {
  const seen = (text: string, facts: readonly Fact[] = [], more: object = {}): Json => {
    const steps = [echo('a', more), echo('b'), echo('x', { join: 'all_settled', input: text })];
    const resolution = resolve({ steps }, facts);
    if (resolution.kind !== 'start') throw new Error(JSON.stringify(resolution));
    return resolution.input;
  };

  it('of a completed step: status and output', () => {
    expect(seen('{{ steps.a }}', done('a', { n: 1 }))).toEqual({
      status: 'completed',
      output: { n: 1 },
      error: null,
    });
  });

  it('of a failed step: code and message, and nothing else of the failure', () => {
    const facts = [stepFact('step.failed', 'a', { failure: REFUSED, handled: true })];

    expect(seen('{{ steps.a }}', facts, { onError: 'continue' })).toEqual({
      status: 'failed',
      output: null,
      error: { code: 'agent.refused', message: 'no' },
    });
  });

  it('of a skipped step: no output', () => {
    const facts = [stepFact('step.skipped', 'a', { reason: 'condition-false' })];

    expect(seen('{{ steps.a }}', facts)).toEqual({ status: 'skipped', output: null, error: null });
  });

  it('of a step that completed at its second attempt: no error', () => {
    const facts = [
      stepFact('step.started', 'a#1', { input: {} }),
      stepFact('step.retrying', 'a#1', { failure: REFUSED, retryAt: '1970-01-01T00:00:00.000Z', delayMs: 0 }),
      stepFact('step.started', 'a#2', { input: {} }),
      stepFact('step.completed', 'a#2', { output: 1 }),
    ];

    expect(seen('{{ steps.a.error }}', facts)).toBeNull();
  });

  it('of the run: its id, its tags, when it was created, its context', () => {
    expect(seen('{{ context }}')).toEqual({});
    expect(seen('{{ run }}')).toEqual({
      id: 'run_00000000000070008000000000000001',
      createdAt: '1970-01-01T00:00:00.000Z',
      tags: [],
    });
  });
});

describe('names that objects inherit', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'are step ids like any other: %s',
    (id) => {
      const definition = {
        steps: [
          echo(id),
          echo('x', { input: `{{ steps.${id}.output }}`, when: `steps.${id}.output.n == 1` }),
        ],
        output: `{{ steps.${id}.output.n }}`,
      };
      const { state } = given(definition, [started, ...done(id, { n: 1 })]);

      expect(resolveIn(state)).toEqual({ kind: 'start', input: { n: 1 } });
      expect(evaluator.output({ state, contents: ALL_INLINE })).toEqual({ ok: true, value: 1 });
    },
  );

  it.each(['constructor', '__proto__', 'toString'])('are missing in an input that lacks them: %s', (name) => {
    expect(resolve({ steps: [echo('x', { input: `{{ input["${name}"] }}` })] })).toMatchObject({
      kind: 'fail',
      failure: { code: 'template.variable-missing' },
    });
  });

  it.each(['constructor', '__proto__', 'toString'])('are read from an input that has them: %s', (name) => {
    const definition = { steps: [echo('x', { input: `{{ input["${name}"] }}` })] };
    const queued = queuedEvent(definition);
    const input = JSON.parse(`{"${name}":"mine"}`) as Json;
    const state = initialState({ ...queued, data: { ...queued.data, input } }, graphOf(definition));

    expect(resolveIn(state)).toEqual({ kind: 'start', input: 'mine' });
  });

  it('come through as keys of an input, in their order', () => {
    const definition = { steps: [echo('x', { input: '{{ input }}' })] };
    const queued = queuedEvent(definition);
    const text = '{"__proto__":{"polluted":true},"b":1,"constructor":2}';
    const input = JSON.parse(text) as Json;
    const state = initialState({ ...queued, data: { ...queued.data, input } }, graphOf(definition));

    expect(JSON.stringify(resolveIn(state))).toBe(`{"kind":"start","input":${text}}`);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('the output of a run', () => {
  const outputOf = (definition: object, facts: readonly Fact[]): unknown =>
    evaluator.output({ state: given(definition, [started, ...facts]).state, contents: ALL_INLINE });

  it('is that of the steps that nothing waits for, in the order of the definition', () => {
    const definition = {
      steps: [echo('z', { dependsOn: ['a'] }), echo('a'), echo('b'), echo('constructor')],
    };
    const facts = [...done('a', 1), ...done('b', 2), ...done('constructor', 3), ...done('z', 4)];

    expect(JSON.stringify(outputOf(definition, facts))).toBe(
      '{"ok":true,"value":{"z":4,"b":2,"constructor":3}}',
    );
  });

  it('has null for a step that did not complete', () => {
    const facts = [stepFact('step.skipped', 'a', { reason: 'condition-false' })];

    expect(outputOf({ steps: [echo('a')] }, facts)).toEqual({ ok: true, value: { a: null } });
  });

  it.each<readonly [string, Json, Json]>([
    ['a value', { fixed: [1] }, { fixed: [1] }],
    ['a template with its type', '{{ steps.a.output }}', { n: 1 }],
    ['templates within a value', { text: 'n is {{ steps.a.output.n }}' }, { text: 'n is 1' }],
    ['null', null, null],
  ])('is what the definition says: %s', (_, output, value) => {
    expect(outputOf({ steps: [echo('a')], output }, done('a', { n: 1 }))).toEqual({ ok: true, value });
  });

  it('is a failure when it can not be evaluated', () => {
    expect(
      outputOf({ steps: [echo('a')], output: '{{ steps.a.output.missing }}' }, done('a', {})),
    ).toMatchObject({
      ok: false,
      failure: { code: 'template.variable-missing', details: { field: 'output' } },
    });
  });
});
