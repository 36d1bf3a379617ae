/** How long a unit may be ready without a place, and a step may be repeated. */
import { SimulatedRun } from '../../../test/support/simulated-run.js';
import { nextWakeAt } from './plan.js';

function begun(definition: object, maxParallelSteps = 1): SimulatedRun {
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  return run;
}

function linesOf(events: SimulatedRun['events']): readonly string[] {
  return events.map(({ type, stepId, path = stepId }) => (path === undefined ? type : `${type} ${path}`));
}

/** What happens by itself at an instant. */
function at(run: SimulatedRun, now: number): readonly string[] {
  run.now = now;
  return linesOf(run.turn([]));
}

const step = (id: string, more: object = {}): object => ({ id, agent: 'scripted', ...more });

describe('a step with a limit to its queue', () => {
  const queued = { steps: [step('a'), step('b', { queueTimeoutMs: 100, onError: 'continue' })] };

  it('fails when it is ready for so long and no place is free', () => {
    const run = begun(queued);

    expect(nextWakeAt(run.state, 0)).toBe(100);
    expect(at(run, 99)).toEqual([]);
    expect(at(run, 100)).toEqual(['step.failed b']);
    expect(run.state.root.units[1]?.failure).toMatchObject({
      code: 'step.queue-timed-out',
      details: { queueTimeoutMs: 100 },
    });
  });

  it('starts when a place is free in time, and its attempt has no such limit', () => {
    const run = begun(queued);
    run.now = 99;
    expect(linesOf(run.report({ path: 'a', attempt: 1, failures: 0 }, { output: 1 }))).toEqual([
      'step.completed a',
      'step.started b',
    ]);

    expect(at(run, 1_000)).toEqual([]);
  });

  it('rather starts than fails when both are due', () => {
    const run = begun(queued);
    run.now = 100;

    expect(linesOf(run.report({ path: 'a', attempt: 1, failures: 0 }, { output: 1 }))).toEqual([
      'step.completed a',
      'step.started b',
    ]);
  });

  it('does not count the time before the run begins, nor while it is paused', () => {
    const run = SimulatedRun.of(queued, { maxParallelSteps: 1 });
    run.now = 500;
    run.takeUp();
    expect(at(run, 550)).toEqual([]);
    run.turn([{ type: 'pause', at: 550 }]);
    expect(at(run, 5_000)).toEqual([]);
    run.turn([{ type: 'resume', at: 5_000 }]);

    expect(nextWakeAt(run.state, 5_000)).toBe(5_050);
    expect(at(run, 5_049)).toEqual([]);
    expect(at(run, 5_050)).toEqual(['step.failed b']);
  });

  it('has its limit for each item', () => {
    const run = begun({
      steps: [step('m', { queueTimeoutMs: 100, forEach: { items: [1, 2], toleratedFailureCount: 1 } })],
    });

    expect(at(run, 100)).toEqual(['item.failed m[1]']);
    expect(linesOf(run.report({ path: 'm[0]', attempt: 1, failures: 0 }, { output: 1 }))).toEqual([
      'item.completed m[0]',
      'step.completed m',
      'run.completed',
    ]);
  });
});

describe('a step that may be repeated for so long', () => {
  const repeated = (onExhausted: string, more: object = step('a')): object => ({
    steps: [{ ...more, repeat: { until: 'false', maxDurationMs: 100, onExhausted } }],
  });

  it('fails when its time is up, whatever its iteration is doing', () => {
    const run = begun(repeated('fail'));

    expect(nextWakeAt(run.state, 0)).toBe(100);
    expect(at(run, 99)).toEqual([]);
    expect(at(run, 100)).toEqual(['iteration.cancelled a[0]', 'step.failed a', 'run.failed']);
    expect(run.state.failure?.code).toBe('loop.exhausted');
  });

  it('goes on with the output of its last whole iteration', () => {
    const run = begun(repeated('continue'));
    run.now = 50;
    run.report({ path: 'a[0]', attempt: 1, failures: 0 }, { output: 'first' });

    expect(at(run, 100)).toEqual(['iteration.cancelled a[1]', 'step.completed a', 'run.completed']);
    expect(run.state.output).toEqual({ a: 'first' });
  });

  it('is cut off while it waits', () => {
    const run = begun(repeated('fail', { id: 'a', kind: 'signal', signal: 'never' }));
    expect(run.state.status).toBe('waiting');
    expect(nextWakeAt(run.state, 0)).toBe(100);

    expect(at(run, 100)).toEqual(['run.resumed', 'iteration.cancelled a[0]', 'step.failed a', 'run.failed']);
  });
});
