/** Units that wait for something outside, and runs in which nothing else is left. */
import { given, runFact, stepFact } from '../../../test/support/given.js';
import { SimulatedRun } from '../../../test/support/simulated-run.js';
import type { Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { nextWakeAt } from './plan.js';
import { findRecord, liveUnit } from './run.state.js';

const OVERLOADED: Failure = {
  code: 'agent.overloaded',
  kind: 'upstream',
  message: 'no room',
  retryable: true,
};

function begun(...steps: readonly object[]): SimulatedRun {
  const run = SimulatedRun.of({ steps }, { timeoutMs: 100 });
  run.takeUp();
  return run;
}

const signal = (run: SimulatedRun, name: string, data: Json = null): readonly string[] =>
  run
    .turn([{ type: 'signal', at: run.now, name, data }])
    .map(({ type, path, stepId }) => `${type} ${path ?? stepId ?? ''}`.trim());

const waitFor = (name: string, more: object = {}): object => ({
  id: 'w',
  kind: 'signal',
  signal: name,
  ...more,
});

/** Closes the open attempt of a unit: somebody outside answers later. */
function suspend(run: SimulatedRun, path: string): void {
  const attempt = run.open.get(path);
  if (attempt === undefined) throw new Error(`${path} is not open`);
  run.report(attempt, { taskId: `task of ${path}` });
}

function deliver(
  run: SimulatedRun,
  path: string,
  ending: { output: Json } | { failure: Failure },
): readonly string[] {
  const unit = liveUnit(run.state, path);
  if (unit === undefined) throw new Error(`there is no ${path}`);
  return run.deliver(unit, ending).map(({ type }) => type);
}

describe('a run in which only waits are left', () => {
  it('waits: its clock stands still, and it is woken by its next timer only', () => {
    const run = begun(waitFor('go'), { id: 'nap', kind: 'wait', durationMs: 5_000 });

    expect(run.state.status).toBe('waiting');
    expect(nextWakeAt(run.state, run.now)).toBe(5_000);
    expect(run.events.at(-1)).toMatchObject({
      type: 'run.waiting',
      data: { until: '1970-01-01T00:00:05.000Z' },
    });
    run.now = 5_000;
    run.turn([]);
    expect(run.state.status).toBe('waiting');
    expect(run.events.at(-1)).toMatchObject({ type: 'run.waiting', data: {} });
    expect(nextWakeAt(run.state, run.now)).toBeUndefined();
  });

  it('does not wait while an attempt is open or a back-off runs', () => {
    const run = begun(waitFor('go'), { id: 'a', agent: 'scripted' });
    expect(run.state.status).toBe('running');
    const attempt = run.open.get('a');
    if (attempt !== undefined) run.report(attempt, { failure: OVERLOADED });
    expect(run.state.status).toBe('running');
  });

  it('can be paused, and waits again when it is resumed', () => {
    const run = begun(waitFor('go'));
    run.turn([{ type: 'pause', at: 1 }]);
    expect(run.state.status).toBe('paused');
    run.turn([{ type: 'resume', at: 2 }]);
    expect(run.state.status).toBe('waiting');
  });

  it('ends as cancelled at once, with an event for each wait', () => {
    const run = begun(waitFor('go'));

    expect(run.turn([{ type: 'cancel', at: 1 }]).map(({ type }) => type)).toEqual([
      'run.cancelling',
      'step.cancelled',
      'run.cancelled',
    ]);
  });
});

describe('a signal', () => {
  it('completes the step that waits for it with its data', () => {
    const run = begun(waitFor('go'));

    expect(signal(run, 'go', { by: 'hand' })).toEqual([
      'signal.received',
      'step.completed w',
      'run.resumed',
      'run.completed',
    ]);
    expect(run.state.output).toEqual({ w: { by: 'hand' } });
  });

  it('is kept until a step waits for it, first in first out', () => {
    const run = begun(
      { id: 'first', agent: 'scripted' },
      { id: 'w', kind: 'signal', signal: 'go', dependsOn: ['first'], repeat: { maxIterations: 2 } },
    );
    expect(signal(run, 'go', 1)).toEqual(['signal.received']);
    expect(signal(run, 'other', 'x')).toEqual(['signal.received']);
    signal(run, 'go', 2);
    const attempt = run.open.get('first');
    if (attempt !== undefined) run.report(attempt, { output: null });

    expect(run.state.status).toBe('completed');
    expect([findRecord(run.state, 'w[0]')?.output, findRecord(run.state, 'w[1]')?.output]).toEqual([1, 2]);
    expect([...run.state.signals]).toEqual([['other', ['x']]]);
  });

  it('is taken by the step that waits longest, once', () => {
    const run = begun({ id: 'b', kind: 'signal', signal: 'go' }, { id: 'a', kind: 'signal', signal: 'go' });

    expect(signal(run, 'go', 1)).toEqual(['signal.received', 'step.completed b']);
    expect(signal(run, 'go', 2)).toContain('step.completed a');
    expect(run.state.output).toEqual({ b: 1, a: 2 });
  });

  it('that does not come in time fails its step', () => {
    const run = begun(waitFor('go', { timeoutMs: 50 }));
    run.now = 50;
    run.turn([]);

    expect(run.state.failure).toMatchObject({
      code: 'step.timed-out',
      details: { for: 'signal', name: 'go' },
    });
  });

  it('is refused by a run that has ended, and beyond what a run keeps', () => {
    given({ steps: [waitFor('go')] }, [
      runFact('run.started', {}),
      runFact('run.completed', { output: null }),
    ])
      .when({ type: 'signal', name: 'go', data: null })
      .thenRefused('run.not-active');
    const kept = Array.from({ length: 1_000 }, () => runFact('signal.received', { name: 'x', data: null }));
    given({ steps: [waitFor('go')] }, kept)
      .when({ type: 'signal', name: 'x', data: null })
      .thenRefused('signal.too-many');
  });

  it('is recorded with who sent it, before the run has begun too', () => {
    given({ steps: [waitFor('go')] })
      .when({ type: 'signal', name: 'go', data: 1, by: 'key_1' })
      .then(runFact('signal.received', { name: 'go', data: 1, by: 'key_1' }));
  });
});

describe('an attempt that somebody outside answers', () => {
  const task = { id: 'a', agent: 'scripted', timeoutMs: 80 };

  it('closes, takes no place, and completes with what is delivered', () => {
    const run = begun(task);
    suspend(run, 'a');
    expect(run.events.slice(-2)).toMatchObject([
      { type: 'step.waiting', attempt: 1, data: { for: 'task', ref: 'task of a' } },
      { type: 'run.waiting' },
    ]);

    expect(deliver(run, 'a', { output: 'done' })).toEqual(['step.completed', 'run.resumed', 'run.completed']);
    expect(run.state.output).toEqual({ a: 'done' });
  });

  it('is tried again when what is delivered may pass', () => {
    const run = begun(task);
    suspend(run, 'a');

    expect(deliver(run, 'a', { failure: OVERLOADED })).toEqual(['step.retrying', 'run.resumed']);
    expect(liveUnit(run.state, 'a')).toMatchObject({ status: 'retrying', failures: 1 });
  });

  it('is changed by no delivery to another wait', () => {
    const run = begun(task);
    suspend(run, 'a');
    const outcome = { status: 'completed', output: 'stale' } as const;

    expect(run.turn([{ type: 'deliver', at: 1, path: 'a', wait: 3, outcome, random: 0 }])).toEqual([]);
    expect(run.turn([{ type: 'deliver', at: 1, path: 'b', wait: 4, outcome, random: 0 }])).toEqual([]);
  });

  it('runs out of time', () => {
    const definition = { steps: [{ ...task, retry: { maxAttempts: 1 } }] };
    given(definition, [
      runFact('run.started', {}),
      stepFact('step.started', 'a#1', { input: {} }),
      stepFact('step.waiting', 'a#1', { for: 'task', ref: 't', until: '1970-01-01T00:00:00.080Z' }),
    ])
      .when({ type: 'expire', path: 'a', at: 80 })
      .then(
        stepFact('step.failed', 'a#1', {
          failure: {
            code: 'step.timed-out',
            kind: 'timeout',
            message: 'what the step waited for did not come: task',
            retryable: true,
            details: { for: 'task', ref: 't' },
          },
          handled: false,
        }),
      );
  });

  it('goes on by itself among items, in any order', () => {
    const run = begun({ id: 'm', agent: 'scripted', forEach: { items: [1, 2, 3] } });
    for (const path of ['m[0]', 'm[1]', 'm[2]']) suspend(run, path);
    for (const path of ['m[2]', 'm[0]', 'm[1]']) deliver(run, path, { output: path });

    expect(run.state.output).toEqual({ m: ['m[0]', 'm[1]', 'm[2]'] });
    expect(run.events.filter(({ type }) => type === 'item.started')).toHaveLength(3);
  });
});
