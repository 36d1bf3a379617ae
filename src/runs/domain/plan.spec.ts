import { given, runFact, stepFact, type Fact } from '../../../test/support/given.js';
import type { Failure } from '../../kernel/failure.js';
import { isIdle, markInvoked, nextMove, nextWakeAt, plannedInvocations, type Starts } from './plan.js';
import type { RunState } from './run.state.js';

const OVERLOADED: Failure = { code: 'agent.overloaded', kind: 'upstream', message: '', retryable: true };

const started = runFact('run.started', {});
const startedStep = (place: string): Fact => stepFact('step.started', place, { input: {} });
const retrying = (place: string, retryAt: number): Fact =>
  stepFact('step.retrying', place, {
    failure: OVERLOADED,
    retryAt: new Date(retryAt).toISOString(),
    delayMs: 0,
  });
const interrupted = (place: string): Fact =>
  stepFact('step.interrupted', place, { cause: 'owner-lost', epoch: 2 });
const completed = (place: string): Fact => stepFact('step.completed', place, { output: null });

/** Steps that wait for nothing, in this order. */
function steps(...ids: readonly string[]): unknown {
  return { steps: ids.map((id) => ({ id, agent: 'scripted' })) };
}

/** The next move in short. */
function moveOf(state: RunState, now = 0, starts: Starts = 'all'): string {
  const move = nextMove(state, now, starts);
  switch (move?.kind) {
    case undefined:
      return 'none';
    case 'finish':
      return 'finish';
    case 'resolve':
      return `resolve ${move.unit.path}`;
    case 'close':
    case 'expire':
    case 'restart':
      return `${move.kind} ${move.unit.path}`;
    case 'decide': {
      const { command } = move;
      return 'path' in command ? `${command.type} ${command.path}` : command.type;
    }
  }
}

describe('the next move', () => {
  it('is the first ready step in the order of the definition, whatever became ready first', () => {
    const definition = {
      steps: [
        { id: 'last', agent: 'scripted', dependsOn: ['first'] },
        { id: 'first', agent: 'scripted' },
        { id: 'other', agent: 'scripted' },
      ],
    };

    expect(moveOf(given(definition, [started]).state)).toBe('resolve first');
    expect(moveOf(given(definition, [started, startedStep('first#1'), completed('first#1')]).state)).toBe(
      'resolve last',
    );
  });

  it('is an interrupted step before those after it', () => {
    const facts = [started, startedStep('a#1'), startedStep('b#1'), interrupted('b#1'), interrupted('a#1')];

    expect(moveOf(given(steps('a', 'b', 'c'), facts).state)).toBe('restart a');
  });

  it('is a back-off that is over before a ready step', () => {
    const { state } = given(steps('a', 'b'), [started, startedStep('b#1'), retrying('b#1', 100)]);

    expect([moveOf(state, 99), moveOf(state, 100)]).toEqual(['resolve a', 'restart b']);
  });

  it('is the back-off that is over longest', () => {
    const facts = ['a', 'b', 'c'].flatMap((id, index) => [
      startedStep(`${id}#1`),
      retrying(`${id}#1`, 300 - index * 100),
    ]);

    expect(moveOf(given(steps('a', 'b', 'c'), [started, ...facts]).state, 400)).toBe('restart c');
  });

  it('is a skip before anything else, though no place is free', () => {
    const definition = {
      steps: [
        { id: 'a', agent: 'scripted' },
        { id: 'b', agent: 'scripted' },
        { id: 'c', agent: 'scripted', dependsOn: ['b'] },
      ],
    };
    const facts = [started, startedStep('a#1'), stepFact('step.skipped', 'b', { reason: 'condition-false' })];

    expect(moveOf(given(definition, facts, { maxParallelSteps: 1 }).state)).toBe('resolve c');
  });

  it.each([
    [1, 'none'],
    [2, 'resolve b'],
  ])('with %d places and one attempt open is: %s', (maxParallelSteps, move) => {
    expect(moveOf(given(steps('a', 'b'), [started, startedStep('a#1')], { maxParallelSteps }).state)).toBe(
      move,
    );
  });

  it('starts nothing where nothing may be started', () => {
    const { state } = given(steps('a', 'b'), [started, startedStep('b#1'), retrying('b#1', 0)]);

    expect(moveOf(state, 100, 'none')).toBe('none');
  });

  it('is the end when every step has settled, though nothing may be started', () => {
    const { state } = given(steps('a'), [started, startedStep('a#1'), completed('a#1')]);

    expect(moveOf(state, 0, 'none')).toBe('finish');
  });

  it.each<readonly [string, readonly Fact[], string]>([
    ['queued', [], 'begin'],
    ['waiting, with a step that is ready', [started, runFact('run.waiting', {})], 'rouse'],
    [
      'running, with nothing but a wait',
      [started, completed('b#1'), stepFact('step.waiting', 'a', { for: 'signal', name: 's' })],
      'rest',
    ],
    [
      'waiting, with nothing but a wait',
      [
        started,
        completed('b#1'),
        stepFact('step.waiting', 'a', { for: 'signal', name: 's' }),
        runFact('run.waiting', {}),
      ],
      'none',
    ],
    ['paused', [started, runFact('run.paused', {})], 'none'],
    [
      'paused after a failure that nothing handles',
      [
        started,
        startedStep('a#1'),
        runFact('run.paused', {}),
        stepFact('step.failed', 'a#1', { failure: OVERLOADED, handled: false }),
      ],
      'conclude',
    ],
    [
      'running after a failure that nothing handles',
      [started, stepFact('step.failed', 'a', { failure: OVERLOADED, handled: false })],
      'conclude',
    ],
    [
      'cancelling with an attempt open',
      [started, startedStep('a#1'), runFact('run.cancelling', { graceMs: 1 })],
      'none',
    ],
    ['cancelling', [started, runFact('run.cancelling', { graceMs: 1 })], 'finish-cancelled'],
    ['completed', [started, runFact('run.completed', { output: null })], 'none'],
    ['failed', [started, runFact('run.failed', { status: 'failed', failure: OVERLOADED })], 'none'],
  ])('of a run that is %s', (_, facts, move) => {
    expect(moveOf(given(steps('a', 'b'), facts).state, 1e9)).toBe(move);
  });

  it('is the same when it is asked twice', () => {
    const { state } = given(steps('a', 'b'), [started]);

    expect(moveOf(state)).toBe(moveOf(state));
  });
});

describe('when the run wants to be looked at', () => {
  const timeoutMs = 1_000;
  const backOff = (at: number): readonly Fact[] => [started, startedStep('a#1'), retrying('a#1', at)];

  it.each<readonly [string, readonly Fact[], number | undefined]>([
    ['queued: never', [], undefined],
    ['running: at its deadline', [started], 1_000],
    ['back-off before the deadline: at its end', backOff(400), 400],
    ['back-off beyond the deadline: at the deadline', backOff(4_000), 1_000],
    [
      'two back-offs: at the end of the first',
      [...backOff(400), startedStep('b#1'), retrying('b#1', 300)],
      300,
    ],
    ['a back-off that was followed: not any more', [...backOff(400), startedStep('a#2')], 1_000],
    ['paused: never', [...backOff(400), runFact('run.paused', {})], undefined],
    ['waiting: never', [started, runFact('run.waiting', {})], undefined],
    ['cancelling: at the end of its grace', [started, runFact('run.cancelling', { graceMs: 70 })], 70],
    ['completed: never', [started, runFact('run.completed', { output: 1 })], undefined],
  ])('%s', (_, facts, at) => {
    expect(nextWakeAt(given(steps('a', 'b'), facts, { timeoutMs }).state, 0)).toBe(at);
  });

  it('is not a back-off that is over and waits for a place', () => {
    const facts = [...backOff(400), startedStep('b#1')];

    expect(nextWakeAt(given(steps('a', 'b'), facts, { timeoutMs, maxParallelSteps: 1 }).state, 400)).toBe(
      1_000,
    );
  });
});

describe('invocations', () => {
  it('are the open attempts in the order of the definition, each asked for once', () => {
    const { state } = given(steps('a', 'b'), [started, startedStep('b#1'), startedStep('a#1')]);

    expect(plannedInvocations(state).map(({ path, attempt }) => [path, attempt])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    markInvoked(state);
    expect(plannedInvocations(state)).toEqual([]);
  });

  it('are not asked for of attempts that have ended', () => {
    const { state } = given(steps('a'), [started, startedStep('a#1'), interrupted('a#1')]);

    expect(plannedInvocations(state)).toEqual([]);
    expect(isIdle(state)).toBe(true);
  });
});
