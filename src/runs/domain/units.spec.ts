/** Steps that map, repeat and hold bodies, driven by hand. */
import { queuedEvent, SimulatedRun, type Ending } from '../../../test/support/simulated-run.js';
import type { Failure, Issue } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { JsonSchemaService } from '../../platform/json-schema/json-schema.service.js';
import { compileDefinition } from '../../workflows/domain/compile-definition.js';
import { withSchemas } from '../../workflows/domain/step-schemas.js';
import { replay } from './evolve.js';
import { findRecord } from './run.state.js';

const BAD: Failure = { code: 'agent.refused', kind: 'upstream', message: 'no', retryable: false };

/** A run of a definition that has begun. */
function begun(definition: object, maxParallelSteps = 5): SimulatedRun {
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  return run;
}

/** The log in short, from `run.started` on. */
function linesOf({ events }: SimulatedRun): readonly string[] {
  return events
    .slice(1)
    .map(({ type, stepId, path = stepId }) => (path === undefined ? type : `${type} ${path}`));
}

/** Ends the open attempt of a unit. */
function end(run: SimulatedRun, path: string, ending: Ending = { output: path }): readonly string[] {
  const attempt = run.open.get(path);
  if (attempt === undefined) throw new Error(`${path} is not open, but ${[...run.open.keys()].join(', ')}`);
  return run.report(attempt, ending).map(({ type, stepId, path: at = stepId }) => `${type} ${at ?? ''}`);
}

const step = (id: string, more: object = {}): object => ({ id, agent: 'scripted', ...more });

describe('a step that maps', () => {
  const mapped = (forEach: object, more: object = {}): object => ({
    steps: [step('parts', { input: '{{ index }}={{ item }}', forEach, ...more })],
  });

  it('begins an item as soon as there is a place for it, in the order of the list', () => {
    const run = begun(mapped({ items: '["a", "b", "c"]' }), 2);

    expect(linesOf(run)).toEqual([
      'run.started',
      'step.started parts',
      'item.started parts[0]',
      'item.started parts[1]',
    ]);
    expect(end(run, 'parts[1]')).toEqual(['item.completed parts[1]', 'item.started parts[2]']);
  });

  it('gives each item its own element and number', () => {
    const run = begun(mapped({ items: ['a', 'b'] }));

    expect(findRecord(run.state, 'parts[0]')?.input).toBe('0=a');
    expect(findRecord(run.state, 'parts[1]')?.input).toBe('1=b');
  });

  it('has the outputs in the order of the list, in whatever order they come', () => {
    const run = begun(mapped({ items: ['a', 'b', 'c'] }));
    end(run, 'parts[2]');
    end(run, 'parts[0]');

    expect(end(run, 'parts[1]')).toEqual([
      'item.completed parts[1]',
      'step.completed parts',
      'run.completed ',
    ]);
    expect(run.state.output).toEqual({ parts: ['parts[0]', 'parts[1]', 'parts[2]'] });
  });

  it.each<readonly [string, object, Json]>([
    ['an empty list', { items: [] }, []],
    ['an expression that gives one', { items: 'context.none.map(x, x)' }, []],
  ])('completes at once with %s', (_, forEach, output) => {
    const run = SimulatedRun.of(mapped(forEach));
    run.state.context = { none: [] };
    run.takeUp();

    expect(run.state.output).toEqual({ parts: output });
  });

  it('gives batches as lists', () => {
    const run = begun(mapped({ items: [1, 2, 3, 4, 5], batchSize: 2 }, { input: '{{ item }}' }));

    expect([...run.open.keys()].map((path) => findRecord(run.state, path)?.input)).toEqual([
      [1, 2],
      [3, 4],
      [5],
    ]);
  });

  it('keeps within its own concurrency', () => {
    const run = begun(mapped({ items: [1, 2, 3], maxConcurrency: 1 }));

    expect([...run.open.keys()]).toEqual(['parts[0]']);
    end(run, 'parts[0]');
    expect([...run.open.keys()]).toEqual(['parts[1]']);
  });

  it('counts a back-off toward its concurrency', () => {
    const run = begun(mapped({ items: [1, 2], maxConcurrency: 1 }));
    end(run, 'parts[0]', { failure: { ...BAD, retryable: true } });

    expect([...run.open.keys()]).toEqual([]);
    run.now = 60_000;
    run.turn([]);
    expect([...run.open.keys()]).toEqual(['parts[0]']);
  });

  it.each<readonly [string, Json, string]>([
    ['is no list', '"text"', 'map.items-invalid'],
    [
      'is too long',
      Array.from({ length: 101 }, () => 0)
        .map(() => Array.from({ length: 100 }, () => 0))
        .flat(),
      'map.too-many-items',
    ],
  ])('fails when what it maps over %s', (_, items, code) => {
    const run = SimulatedRun.of({
      steps: [step('parts', { forEach: { items: typeof items === 'string' ? items : 'context.items' } })],
    });
    run.state.context = { items };
    run.takeUp();

    expect(run.state.failure?.code).toBe(code);
  });

  it('fails with the first item that fails, and ends the others', () => {
    const run = begun(mapped({ items: ['a', 'b', 'c'] }));

    expect(end(run, 'parts[1]', { failure: BAD })).toEqual([
      'item.failed parts[1]',
      'item.cancelled parts[0]',
      'item.cancelled parts[2]',
      'step.failed parts',
      'run.failed ',
    ]);
    expect(run.state.failure).toMatchObject({
      code: 'map.threshold-exceeded',
      details: { failed: 1, total: 3, failures: [{ index: 1, code: 'agent.refused', message: 'no' }] },
    });
  });

  it.each<readonly [string, object, number]>([
    ['as many as it counts', { toleratedFailureCount: 2 }, 2],
    ['a share of all, rounded down', { toleratedFailurePercentage: 50 }, 2],
    ['the larger of both', { toleratedFailureCount: 1, toleratedFailurePercentage: 75 }, 3],
  ])('tolerates failed items: %s', (_, tolerance, tolerated) => {
    const run = begun(mapped({ items: [1, 2, 3, 4], ...tolerance }));
    for (let index = 0; index < tolerated; index += 1) end(run, `parts[${String(index)}]`, { failure: BAD });
    expect(run.state.status).toBe('running');

    if (tolerated < 3) {
      end(run, `parts[${String(tolerated)}]`, { failure: BAD });
      expect(run.state.failure?.code).toBe('map.threshold-exceeded');
    } else {
      end(run, 'parts[3]');
      expect(run.state.output).toEqual({ parts: [null, null, null, 'parts[3]'] });
    }
  });

  it('is one step to its condition: skipped as a whole', () => {
    const run = begun(mapped({ items: [1, 2] }, { when: 'false' }));

    expect(linesOf(run)).toEqual(['run.started', 'step.skipped parts', 'run.completed']);
  });

  it('retries an item by itself', () => {
    const run = begun(mapped({ items: ['a', 'b'] }));
    expect(end(run, 'parts[0]', { failure: { ...BAD, retryable: true } })).toEqual([
      'item.retrying parts[0]',
    ]);
    run.now = 60_000;
    run.turn([]);

    expect(run.open.get('parts[0]')?.attempt).toBe(2);
    end(run, 'parts[0]');
    end(run, 'parts[1]');
    expect(run.state.status).toBe('completed');
  });

  it('keeps of an item that has ended what is asked for later', () => {
    const run = begun(mapped({ items: ['a', 'b'] }));
    end(run, 'parts[0]');

    expect(findRecord(run.state, 'parts[0]')).toMatchObject({
      status: 'completed',
      output: 'parts[0]',
      attempt: 1,
    });
    expect(findRecord(run.state, 'parts[2]')).toBeUndefined();
  });
});

describe('a step that is repeated', () => {
  const repeated = (repeat: object, more: object = {}): object => ({
    steps: [step('draft', { input: { n: '{{ iteration }}', before: '{{ previous }}' }, repeat, ...more })],
  });

  it('goes on until its condition holds for the output just made', () => {
    const run = begun(repeated({ until: 'output >= 2' }));
    expect(end(run, 'draft[0]', { output: 0 })).toEqual([
      'iteration.completed draft[0]',
      'iteration.started draft[1]',
    ]);
    end(run, 'draft[1]', { output: 1 });

    expect(end(run, 'draft[2]', { output: 2 })).toEqual([
      'iteration.completed draft[2]',
      'step.completed draft',
      'run.completed ',
    ]);
    expect(run.state.output).toEqual({ draft: 2 });
  });

  it('gives each iteration its number and the output before', () => {
    const run = begun(repeated({ until: 'false' }));
    expect(findRecord(run.state, 'draft[0]')?.input).toEqual({ n: 0, before: null });
    end(run, 'draft[0]', { output: 'x' });

    expect(findRecord(run.state, 'draft[1]')?.input).toEqual({ n: 1, before: 'x' });
  });

  it('fails when its condition does not hold within its iterations', () => {
    const run = begun(repeated({ until: 'output', maxIterations: 2 }));
    end(run, 'draft[0]', { output: false });
    end(run, 'draft[1]', { output: false });

    expect(run.state.failure).toMatchObject({ code: 'loop.exhausted', details: { iterations: 2 } });
  });

  it('completes with its last output when it may be exhausted, or has no condition', () => {
    for (const repeat of [
      { until: 'false', maxIterations: 1, onExhausted: 'continue' },
      { maxIterations: 1 },
    ]) {
      const run = begun(repeated(repeat));
      end(run, 'draft[0]', { output: 'last' });
      expect(run.state.output).toEqual({ draft: 'last' });
    }
  });

  it('begins no iteration past its time', () => {
    const run = begun(repeated({ until: 'false', maxDurationMs: 100 }));
    run.now = 99;
    end(run, 'draft[0]');
    run.now = 100;
    end(run, 'draft[1]');

    expect(run.state.failure).toMatchObject({ code: 'loop.exhausted', details: { maxDurationMs: 100 } });
  });

  it('fails when its condition can not be evaluated', () => {
    const run = begun(repeated({ until: 'output.missing' }));
    end(run, 'draft[0]', { output: {} });

    expect(run.state.failure).toMatchObject({
      code: 'expression.failed',
      details: { field: 'repeat.until' },
    });
  });

  it('tries a failed iteration again without those before it', () => {
    const run = begun(repeated({ until: 'iteration == 1' }));
    end(run, 'draft[0]');
    end(run, 'draft[1]', { failure: { ...BAD, retryable: true } });
    run.now = 60_000;
    run.turn([]);

    expect([...run.open.values()]).toEqual([{ path: 'draft[1]', attempt: 2, failures: 1 }]);
  });

  it('fails with an iteration that fails', () => {
    const run = begun(repeated({ until: 'true' }));

    expect(end(run, 'draft[0]', { failure: BAD })).toEqual([
      'iteration.failed draft[0]',
      'step.failed draft',
      'run.failed ',
    ]);
    expect(run.state.failure?.code).toBe('agent.refused');
  });
});

describe('a loop', () => {
  const loop = (repeat: object, body: object, more: object = {}): object => ({
    steps: [step('first'), { id: 'polish', kind: 'loop', ...more, repeat: { ...repeat, body } }],
  });
  const body = {
    steps: [
      step('write', { input: '{{ steps.first.output }} {{ previous.errors }}' }),
      step('check', { input: '{{ steps.write.output }}' }),
    ],
    output: '{{ steps.check.output }}',
  };

  it('waits for what its body reads, and carries the body out again and again', () => {
    const run = begun(loop({ until: 'output.valid' }, body));
    expect([...run.open.keys()]).toEqual(['first']);
    expect(end(run, 'first')).toEqual([
      'step.completed first',
      'step.started polish',
      'iteration.started polish[0]',
      'step.started polish[0]/write',
    ]);
    expect(findRecord(run.state, 'polish[0]/write')?.status).toBe('running');
    end(run, 'polish[0]/write', { output: 'w0' });
    expect(findRecord(run.state, 'polish[0]/check')?.input).toBe('w0');
    expect(end(run, 'polish[0]/check', { output: { valid: false, errors: 'e0' } })).toEqual([
      'step.completed polish[0]/check',
      'iteration.completed polish[0]',
      'iteration.started polish[1]',
      'step.started polish[1]/write',
    ]);
    expect(findRecord(run.state, 'polish[1]/write')?.input).toBe('first e0');
    end(run, 'polish[1]/write', { output: 'w1' });
    end(run, 'polish[1]/check', { output: { valid: true } });

    expect(run.state.output).toEqual({ polish: { valid: true } });
    expect(findRecord(run.state, 'polish[0]/check')).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it('fails at a step of its body, and ends what is beside it', () => {
    const run = begun({
      steps: [{ id: 'l', kind: 'loop', repeat: { body: { steps: [step('a'), step('b')] } } }],
    });

    expect(end(run, 'l[0]/a', { failure: BAD })).toEqual([
      'step.failed l[0]/a',
      'step.cancelled l[0]/b',
      'iteration.failed l[0]',
      'step.failed l',
      'run.failed ',
    ]);
    expect(run.state.failure).toMatchObject({
      code: 'agent.refused',
      details: { stepId: 'l', path: 'l[0]/a' },
    });
  });

  it('lets a failure be handled inside, or around', () => {
    const inside = begun({
      steps: [
        {
          id: 'l',
          kind: 'loop',
          repeat: { maxIterations: 1, body: { steps: [step('a', { onError: 'continue' })] } },
        },
      ],
    });
    end(inside, 'l[0]/a', { failure: BAD });
    expect(inside.state.output).toEqual({ l: { a: null } });

    const outside = begun({
      steps: [
        { id: 'l', kind: 'loop', onError: 'continue', repeat: { body: { steps: [step('a')] } } },
        step('after', { dependsOn: ['l'] }),
      ],
    });
    end(outside, 'l[0]/a', { failure: BAD });
    expect([...outside.open.keys()]).toEqual(['after']);
  });

  it('nests, and maps: every unit has its own path', () => {
    const run = begun({
      steps: [
        {
          id: 'outer',
          kind: 'loop',
          forEach: { items: ['x', 'y'] },
          repeat: {
            maxIterations: 1,
            body: {
              steps: [
                {
                  id: 'inner',
                  kind: 'loop',
                  repeat: {
                    maxIterations: 2,
                    body: { steps: [step('leaf', { input: '{{ item }}{{ iteration }}' })] },
                  },
                },
              ],
            },
          },
        },
      ],
    });
    end(run, 'outer[1][0]/inner[0]/leaf');

    expect([...run.open.keys()]).toEqual(['outer[0][0]/inner[0]/leaf', 'outer[1][0]/inner[1]/leaf']);
    expect(findRecord(run.state, 'outer[1][0]/inner[1]/leaf')?.input).toBe('y1');
    for (const path of ['outer', 'outer[1]', 'outer[1][0]', 'outer[1][0]/inner', 'outer[1][0]/inner[0]']) {
      expect(findRecord(run.state, path)?.path).toBe(path);
    }
    for (const path of [
      '',
      'outer[2]',
      'outer/',
      'outer[1][0]/',
      '[0]',
      'outer[1]/inner',
      'outer[0][0]inner',
    ]) {
      expect(findRecord(run.state, path)).toBeUndefined();
    }
  });
});

describe('steps without an attempt', () => {
  it('compute, wait and fail where they stand', () => {
    const run = begun({
      steps: [
        { id: 'sum', kind: 'transform', expression: '1 + 2' },
        { id: 'nap', kind: 'wait', durationMs: 50, dependsOn: ['sum'] },
        {
          id: 'bad',
          kind: 'fail',
          code: 'order.rejected',
          message: 'sum is {{ steps.sum.output }}',
          dependsOn: ['nap'],
        },
      ],
    });
    expect(linesOf(run)).toEqual(['run.started', 'step.completed sum', 'step.waiting nap', 'run.waiting']);
    run.now = 49;
    expect(run.turn([])).toEqual([]);
    run.now = 50;
    run.turn([]);

    expect(linesOf(run).slice(4)).toEqual([
      'run.resumed',
      'step.completed nap',
      'step.failed bad',
      'run.failed',
    ]);
    expect(run.state.failure).toMatchObject({
      code: 'order.rejected',
      message: 'step "bad" failed: sum is 3',
      retryable: false,
    });
  });

  it.each<readonly [string, Json, string | undefined]>([
    ['an instant', '1970-01-01T00:00:01Z', undefined],
    ['one that has passed', '1969-12-31T23:59:59Z', undefined],
    ['a date', '1970-01-02', 'wait.invalid'],
    ['a text', 'tomorrow', 'wait.invalid'],
    ['a number', 5, 'wait.invalid'],
    ['one too far off', '2970-01-01T00:00:00Z', 'wait.invalid'],
  ])('wait until %s', (_, at, code) => {
    const run = SimulatedRun.of({ steps: [{ id: 'nap', kind: 'wait', until: '{{ context.at }}' }] });
    run.state.context = { at };
    run.takeUp();
    run.now = 1_000;
    run.turn([]);

    expect([run.state.status, run.state.failure?.code]).toEqual([
      code === undefined ? 'completed' : 'failed',
      code,
    ]);
  });

  it('go on over thousands in turns of their own', () => {
    const run = begun({
      steps: [
        {
          id: 'all',
          kind: 'transform',
          expression: 'index * 2',
          forEach: { items: Array.from({ length: 5_000 }, () => 0) },
        },
      ],
    });

    expect(run.state.status).toBe('completed');
    expect((run.state.output as { all: number[] }).all[4_999]).toBe(9_998);
    expect(Math.max(...run.appends.map((events) => events.length))).toBeLessThanOrEqual(1_002);
  });
});

describe('a step whose failure another one handles', () => {
  const caught = (more: object = {}): object => ({
    steps: [
      step('x', { catch: 'mend', ...more }),
      step('mend', { input: '{{ steps.x.error.code }}' }),
      step('after', { dependsOn: ['x'], join: 'all_settled' }),
    ],
  });

  it('lets the run go on, and its handler sees what went wrong', () => {
    const run = begun(caught());
    expect(end(run, 'x', { failure: BAD })).toEqual([
      'step.failed x',
      'step.started mend',
      'step.started after',
    ]);
    expect(findRecord(run.state, 'mend')?.input).toBe('agent.refused');
    end(run, 'mend', { output: 'mended' });
    end(run, 'after', { output: 1 });

    expect(run.state.output).toEqual({ mend: 'mended', after: 1 });
  });

  it('skips its handler when it completes', () => {
    const run = begun(caught());
    end(run, 'x');

    expect(run.events.find(({ type }) => type === 'step.skipped')).toMatchObject({
      stepId: 'mend',
      data: { reason: 'nothing-to-catch' },
    });
  });

  it('shares its handler with others: it runs once one of them has failed', () => {
    const run = begun({ steps: [step('x', { catch: 'mend' }), step('y', { catch: 'mend' }), step('mend')] });
    end(run, 'x', { failure: BAD });
    expect([...run.open.keys()]).toEqual(['y']);
    end(run, 'y');

    expect([...run.open.keys()]).toEqual(['mend']);
  });

  it('works inside a loop', () => {
    const body = { steps: [step('a', { catch: 'b' }), step('b')] };
    const run = begun({ steps: [{ id: 'l', kind: 'loop', repeat: { maxIterations: 1, body } }] });
    end(run, 'l[0]/a', { failure: BAD });
    end(run, 'l[0]/b', { output: 'mended' });

    expect(run.state.output).toEqual({ l: { b: 'mended' } });
  });
});

describe('schemas', () => {
  const schemas = new JsonSchemaService();
  const run = (definition: object): SimulatedRun => {
    const compiled = compileDefinition(definition, { maxSteps: 10 });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
    const check = (schema: JsonObject, value: Json): readonly Issue[] => schemas.validate(schema, value);
    const graph = withSchemas(compiled.value.graph, compiled.value.definition, check);
    const simulated = new SimulatedRun(graph, [queuedEvent(definition)]);
    simulated.takeUp();
    return simulated;
  };
  const number = { type: 'number' };

  it('of the run refuse an output, and the run fails', () => {
    const { state } = run({
      outputSchema: number,
      steps: [{ id: 'a', kind: 'transform', expression: '1' }],
      output: 'x',
    });

    expect(state.failure).toMatchObject({ code: 'run.output-invalid', issues: [{ pointer: '' }] });
  });

  it('of the run let a good output pass', () => {
    const { state } = run({
      outputSchema: number,
      steps: [{ id: 'a', kind: 'transform', expression: '1' }],
      output: 1,
    });

    expect(state.output).toBe(1);
  });

  it('of a step refuse an input before anybody is called', () => {
    const { state } = run({
      steps: [step('a', { inputSchema: number, input: 'x', retry: { maxAttempts: 3 } })],
    });

    expect(state.failure).toMatchObject({ code: 'input.invalid', retryable: false });
    expect(findRecord(state, 'a')?.attempt).toBe(0);
  });
});

it('folds the log of nested units to the same state', () => {
  const run = begun({
    steps: [
      step('parts', { forEach: { items: [1, 2, 3], toleratedFailureCount: 1 } }),
      { id: 'l', kind: 'loop', repeat: { until: 'iteration == 1', body: { steps: [step('a')] } } },
    ],
  });
  end(run, 'parts[1]', { failure: BAD });
  end(run, 'l[0]/a');

  expect(replay(run.events, run.graph).frontier.open.size).toBe(3);
});
