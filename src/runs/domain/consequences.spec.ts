/** What follows from the output of a unit: writes to the context, and the schema of the output. */
import { given, runFact, stepFact } from '../../../test/support/given.js';
import { queuedEvent, SimulatedRun } from '../../../test/support/simulated-run.js';
import type { Json } from '../../kernel/json.js';
import { JsonSchemaService } from '../../platform/json-schema/json-schema.service.js';
import { compileDefinition } from '../../workflows/domain/compile-definition.js';
import { withSchemas } from '../../workflows/domain/step-schemas.js';
import { findRecord } from './run.state.js';

/** A run of a definition, with its schemas, that has begun. */
function begun(definition: object): SimulatedRun {
  const compiled = compileDefinition(definition, { maxSteps: 100 });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
  const schemas = new JsonSchemaService();
  const check = (schema: Json, value: Json): ReturnType<JsonSchemaService['validate']> =>
    schemas.validate(schema, value);
  const graph = withSchemas(compiled.value.graph, compiled.value.definition, check);
  const run = new SimulatedRun(graph, [queuedEvent(definition)]);
  run.takeUp();
  return run;
}

function end(run: SimulatedRun, path: string, output: Json): readonly string[] {
  const attempt = run.open.get(path);
  if (attempt === undefined) throw new Error(`${path} is not open`);
  return run
    .report(attempt, { output })
    .map(({ type, stepId, path: at = stepId, data }) =>
      type === 'context.updated' ? `${type} ${JSON.stringify(data)}` : `${type} ${at ?? ''}`,
    );
}

describe('writing to the context', () => {
  const definition = {
    contextReducers: { 'seen.scores': 'append', total: 'sum' },
    steps: [
      {
        id: 'a',
        agent: 'scripted',
        writes: {
          'seen.scores': '{{ output.score }}',
          total: '{{ output.score }}',
          last: 'a: {{ output.name }}',
        },
      },
      { id: 'b', agent: 'scripted', input: '{{ context.total }}', dependsOn: ['a'] },
    ],
  };

  it('is recorded together with the completion, before it, and seen by the steps after', () => {
    const run = begun(definition);

    expect(end(run, 'a', { score: 3, name: 'n' })).toEqual([
      'context.updated {"path":"seen.scores","value":3,"reducer":"append","by":"a"}',
      'context.updated {"path":"total","value":3,"reducer":"sum","by":"a"}',
      'context.updated {"path":"last","value":"a: n","reducer":"replace","by":"a"}',
      'step.completed a',
      'step.started b',
    ]);
    expect(run.state.context).toEqual({ seen: { scores: [3] }, total: 3, last: 'a: n' });
    expect(findRecord(run.state, 'b')?.input).toBe(3);
  });

  it.each<readonly [string, Json, string]>([
    ['does not fit its reducer', { score: 'x', name: 'n' }, 'context.write-invalid'],
    ['can not be evaluated', { name: 'n' }, 'template.variable-missing'],
  ])('fails the step when it %s, and writes nothing', (_, output, code) => {
    const run = begun(definition);

    expect(end(run, 'a', output)).toEqual(['step.failed a', 'run.failed ']);
    expect(run.state.context).toEqual({});
    expect(run.state.failure?.code).toBe(code);
  });

  it('is done by each item and each iteration, with what they see', () => {
    const run = begun({
      contextReducers: { items: 'append' },
      steps: [
        {
          id: 'm',
          agent: 'scripted',
          forEach: { items: ['x', 'y'] },
          writes: { items: '{{ item }}{{ output }}' },
        },
        {
          id: 'r',
          agent: 'scripted',
          dependsOn: ['m'],
          repeat: { maxIterations: 2 },
          writes: { rounds: '{{ iteration }}' },
        },
      ],
    });
    end(run, 'm[1]', 1);
    end(run, 'm[0]', 0);
    end(run, 'r[0]', null);

    expect(run.state.context).toEqual({ items: ['y1', 'x0'], rounds: 0 });
    end(run, 'r[1]', null);
    expect(run.state.context).toEqual({ items: ['y1', 'x0'], rounds: 1 });
    expect(run.state.status).toBe('completed');
  });

  it('is done by transforms, signals and waits too', () => {
    const run = begun({
      steps: [
        { id: 't', kind: 'transform', expression: '1 + 1', writes: { t: '{{ output }}' } },
        { id: 's', kind: 'signal', signal: 'go', writes: { s: '{{ output.x }}' } },
        { id: 'w', kind: 'wait', durationMs: 5, writes: { w: 'waited' } },
      ],
    });
    run.turn([{ type: 'signal', at: 0, name: 'go', data: { x: 1 } }]);
    run.now = 10;
    run.turn([]);

    expect(run.state.context).toEqual({ t: 2, s: 1, w: 'waited' });
  });

  it('reads what it finds at its place when it is decided, not when it is applied', () => {
    given(definition, [runFact('run.started', {}), stepFact('step.started', 'a#1', { input: {} })])
      .when({
        type: 'complete',
        path: 'a',
        attempt: 1,
        output: 1,
        consequence: { writes: [{ path: 'total', value: 1, reducer: 'sum' }] },
      })
      .then(
        runFact('context.updated', { path: 'total', value: 1, reducer: 'sum', by: 'a' }),
        stepFact('step.completed', 'a#1', { output: 1 }),
      );
  });
});

describe('the schema of an output', () => {
  const schema = { type: 'number', minimum: 2 };

  it.each<readonly [string, object]>([
    ['a transform', { kind: 'transform', expression: '1' }],
    ['each item of a transform', { kind: 'transform', expression: 'item', forEach: { items: [2, 1] } }],
    [
      'a loop',
      {
        kind: 'loop',
        repeat: {
          maxIterations: 1,
          body: { steps: [{ id: 't', kind: 'transform', expression: '1' }], output: 1 },
        },
      },
    ],
  ])('holds for %s', (_, step) => {
    const run = begun({ steps: [{ id: 'a', ...step, outputSchema: schema }] });
    const { failure } = run.state;

    expect(failure?.cause?.code ?? failure?.code).toBe('step.output-invalid');
  });

  it.each<readonly [string, Json, string]>([
    ['takes what satisfies it', 2, 'completed'],
    ['refuses what does not', 1, 'failed'],
  ])('holds for a signal: %s', (_, data, status) => {
    const run = begun({ steps: [{ id: 'a', kind: 'signal', signal: 'go', outputSchema: schema }] });
    run.turn([{ type: 'signal', at: 0, name: 'go', data }]);

    expect(run.state.status).toBe(status);
  });

  it('holds for what is delivered to an agent that waits', () => {
    const run = begun({ steps: [{ id: 'a', agent: 'scripted', outputSchema: schema }] });
    run.report({ path: 'a', attempt: 1, failures: 0 }, { taskId: 't' });
    const [unit] = run.state.frontier.waiting;
    if (unit === undefined) throw new Error('nothing waits');
    run.deliver(unit, { output: 1 });

    expect(run.state.failure?.code).toBe('step.output-invalid');
  });
});
