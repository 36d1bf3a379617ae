/** What a run does last, driven by hand: compensations and steps that run however it ends. */
import { SimulatedRun, type Ending } from '../../../test/support/simulated-run.js';
import type { Failure } from '../../kernel/failure.js';
import { replay } from './evolve.js';
import { ENDING_GRACE_MS } from './run-ends.js';
import { findRecord } from './run.state.js';

const BAD: Failure = { code: 'agent.refused', kind: 'upstream', message: 'no', retryable: false };

function begun(steps: readonly object[], timeoutMs = 3_600_000): SimulatedRun {
  const run = SimulatedRun.of({ steps, retry: { maxAttempts: 2, initialIntervalMs: 10 } }, { timeoutMs });
  run.takeUp();
  return run;
}

function end(run: SimulatedRun, path: string, ending: Ending = { output: path }): readonly string[] {
  const attempt = run.open.get(path);
  if (attempt === undefined) throw new Error(`${path} is not open, but ${[...run.open.keys()].join(', ')}`);
  return linesOf(run.report(attempt, ending));
}

function linesOf(events: SimulatedRun['events']): readonly string[] {
  return events.map(({ type, stepId, path = stepId }) => (path === undefined ? type : `${type} ${path}`));
}

function cancel(run: SimulatedRun, compensate = false): readonly string[] {
  return linesOf(run.turn([{ type: 'cancel', at: run.now, ...(compensate && { compensate }) }]));
}

const step = (id: string, more: object = {}): object => ({ id, agent: 'scripted', ...more });
const last = (id: string, more: object = {}): object => step(id, { finally: true, ...more });
const undone = (id: string, more: object = {}): object =>
  step(id, { compensate: { agent: 'scripted', input: 'undo {{ output }}' }, ...more });

describe('a step that runs last', () => {
  it('runs when everything else has completed, and the end of the run comes after it', () => {
    const run = begun([last('z', { input: '{{ steps.a.output }} {{ run.end.status }}' }), step('a')]);

    expect([...run.open.keys()]).toEqual(['a']);
    expect(end(run, 'a')).toEqual(['step.completed a', 'run.ending', 'step.started z']);
    expect(findRecord(run.state, 'z')?.input).toBe('a completed');
    expect(end(run, 'z')).toEqual(['step.completed z', 'run.completed']);
    expect(run.state.output).toEqual({ a: 'a' });
  });

  it('runs when a step has failed, and sees with what', () => {
    const run = begun([
      step('a'),
      step('b'),
      last('z', { input: '{{ run.end.error.code }} {{ steps.b.status }}' }),
    ]);

    expect(end(run, 'a', { failure: BAD })).toEqual([
      'step.failed a',
      'step.cancelled b',
      'run.ending',
      'step.started z',
    ]);
    expect(findRecord(run.state, 'z')?.input).toBe('agent.refused cancelled');
    expect(end(run, 'z')).toEqual(['step.completed z', 'run.failed']);
    expect(run.state.failure?.code).toBe('agent.refused');
  });

  it('runs when the run has used up its time, within a grace of its own', () => {
    const run = begun([step('a'), last('z')], 100);
    run.now = 100;

    expect(linesOf(run.turn([]))).toEqual(['step.cancelled a', 'run.ending', 'step.started z']);
    run.now += ENDING_GRACE_MS - 1;
    expect(linesOf(run.turn([]))).toEqual([]);
    run.now += 1;
    expect(linesOf(run.turn([]))).toEqual(['step.cancelled z', 'run.failed']);
    expect(run.state.status).toBe('timed_out');
  });

  it('runs when the run is cancelled, once what is under way has ended', () => {
    const run = begun([step('a'), step('b', { dependsOn: ['a'] }), last('z')]);

    expect(cancel(run)).toEqual(['run.cancelling']);
    expect(linesOf(run.turn([{ type: 'aborted', at: 0, path: 'a', attempt: 1 }]))).toEqual([
      'step.cancelled a',
      'run.ending',
      'step.started z',
    ]);
    expect(run.state.status).toBe('cancelling');
    expect(end(run, 'z', { failure: { ...BAD, retryable: true } })).toEqual(['step.retrying z']);
    run.now = 50_000;
    expect(linesOf(run.turn([]))).toEqual(['step.started z']);
    expect(end(run, 'z')).toEqual(['step.completed z', 'run.cancelled']);
  });

  it('does not run when the run was cancelled before it began', () => {
    const run = SimulatedRun.of({ steps: [step('a'), last('z')] });

    expect(cancel(run)).toEqual(['run.cancelling', 'run.cancelled']);
  });

  it.each<readonly [string, Ending, string, string]>([
    ['a run that would have completed', { output: 1 }, 'failed', 'agent.exploded'],
    ['no other', { failure: BAD }, 'failed', 'agent.refused'],
  ])('that fails, fails %s', (_, ending, status, code) => {
    const run = begun([step('a'), last('y'), last('z', { dependsOn: ['y'], join: 'all_settled' })]);
    end(run, 'a', ending);

    expect(end(run, 'y', { failure: { ...BAD, code: 'agent.exploded' } })).toEqual([
      'step.failed y',
      'step.started z',
    ]);
    end(run, 'z');
    expect(run.state).toMatchObject({ status, failure: { code } });
  });

  it('may map, wait and be one of several that depend on each other', () => {
    const run = begun([
      step('a'),
      last('y', { forEach: { items: [1, 2] } }),
      { id: 'w', kind: 'wait', durationMs: 5, finally: true },
      last('z', { dependsOn: ['y', 'w'] }),
    ]);
    end(run, 'a');
    end(run, 'y[0]');
    expect(end(run, 'y[1]')).toEqual(['item.completed y[1]', 'step.completed y', 'run.waiting']);
    run.now = 10;
    expect(linesOf(run.turn([]))).toEqual(['run.resumed', 'step.completed w', 'step.started z']);
    expect(end(run, 'z')).toEqual(['step.completed z', 'run.completed']);
  });

  it('is stopped by a cancellation, which ends the run', () => {
    const run = begun([step('a'), last('z')]);
    end(run, 'a');

    expect(cancel(run)).toEqual(['run.cancelling', 'step.cancelled z', 'run.cancelled']);
  });

  it('is resumed by a new owner, and the end stays as it was decided', () => {
    const run = begun([step('a'), last('z')]);
    end(run, 'a', { failure: BAD });
    const resumed = new SimulatedRun(run.graph, run.events, { now: run.now });

    expect(linesOf(resumed.takeUp())).toEqual(['step.interrupted z', 'step.started z']);
    expect(end(resumed, 'z')).toEqual(['step.completed z', 'run.failed']);
  });

  it('does not run in a run that kills its processes', () => {
    const run = begun([step('a'), last('z')]);
    run.takeUp();
    run.takeUp();
    run.takeUp();

    expect(linesOf(run.takeUp())).toEqual(['step.interrupted a', 'run.failed']);
    expect(run.state.failure?.code).toBe('run.poisoned');
  });
});

describe('a compensation', () => {
  it('undoes what completed steps have done, the last one first, before the steps that run last', () => {
    const run = begun([
      undone('a'),
      undone('b', { dependsOn: ['a'] }),
      step('c', { dependsOn: ['b'] }),
      undone('never', { dependsOn: ['c'] }),
      last('z'),
    ]);
    end(run, 'a');
    end(run, 'b');

    expect(end(run, 'c', { failure: BAD })).toEqual([
      'step.failed c',
      'run.ending',
      'step.started b~compensate',
    ]);
    expect(findRecord(run.state, 'b~compensate')?.input).toBe('undo b');
    expect(end(run, 'b~compensate')).toEqual(['step.completed b~compensate', 'step.started a~compensate']);
    expect(end(run, 'a~compensate')).toEqual(['step.completed a~compensate', 'step.started z']);
    expect(end(run, 'z')).toEqual(['step.completed z', 'run.failed']);
  });

  it('is tried again by the policy of its step; one that fails is recorded, and the next runs', () => {
    const run = begun([undone('a'), undone('b', { dependsOn: ['a'] }), step('c', { dependsOn: ['b'] })]);
    end(run, 'a');
    end(run, 'b');
    end(run, 'c', { failure: BAD });

    expect(end(run, 'b~compensate', { failure: { ...BAD, retryable: true } })).toEqual([
      'step.retrying b~compensate',
    ]);
    run.now = 100;
    expect(linesOf(run.turn([]))).toEqual(['step.started b~compensate']);
    expect(end(run, 'b~compensate', { failure: { ...BAD, retryable: true } })).toEqual([
      'step.failed b~compensate',
      'step.started a~compensate',
    ]);
    expect(end(run, 'a~compensate')).toEqual(['step.completed a~compensate', 'run.failed']);
    expect(run.state.failure?.message).toContain('"c"');
  });

  it.each([
    [true, ['step.cancelled b', 'run.ending', 'step.started a~compensate']],
    [false, ['step.cancelled b', 'run.cancelled']],
  ])('is done by a cancelled run when it was asked for: %j', (compensate, expected) => {
    const run = begun([undone('a'), step('b', { dependsOn: ['a'] })]);
    end(run, 'a');
    cancel(run, compensate);

    expect(linesOf(run.turn([{ type: 'aborted', at: 0, path: 'b', attempt: 1 }]))).toEqual(expected);
  });

  it('is not done by a run that completes', () => {
    const run = begun([undone('a')]);

    expect(end(run, 'a')).toEqual(['step.completed a', 'run.completed']);
  });

  it('undoes each item, and each step of each iteration, with what it saw', () => {
    const run = begun([
      undone('m', {
        forEach: { items: ['x', 'y'] },
        compensate: { agent: 'scripted', input: '{{ item }} {{ output }}' },
      }),
      {
        id: 'l',
        kind: 'loop',
        dependsOn: ['m'],
        repeat: {
          maxIterations: 2,
          body: { steps: [undone('s', { compensate: { agent: 'scripted', input: '{{ iteration }}' } })] },
        },
      },
    ]);
    for (const path of ['m[1]', 'm[0]', 'l[0]/s']) end(run, path);
    end(run, 'l[1]/s', { failure: BAD });

    const order: unknown[] = [];
    for (let [path] = run.open.keys(); path !== undefined; [path] = run.open.keys()) {
      order.push([path, findRecord(run.state, path)?.input]);
      end(run, path);
    }
    expect(order).toEqual([
      ['l[0]/s~compensate', 0],
      ['m[0]~compensate', 'x m[0]'],
      ['m[1]~compensate', 'y m[1]'],
    ]);
    expect(run.state.status).toBe('failed');
    expect(replay(run.events, run.graph).status).toBe('failed');
  });
});
