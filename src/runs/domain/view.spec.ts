import { given, runFact, stepFact, type Fact } from '../../../test/support/given.js';
import { RUN_ID } from '../../../test/support/simulated-run.js';
import type { Failure } from '../../kernel/failure.js';
import type { Kept } from './kept.js';
import { unitAt, type RunState } from './run.state.js';
import { summaryOf } from './summary.js';
import { progressOf, viewOfRun, viewOfStep, type StepView } from './view.js';

const REFUSED: Failure = { code: 'agent.refused', kind: 'upstream', message: 'no', retryable: false };

const definition = {
  name: 'two',
  steps: [
    { id: 'a', agent: 'scripted' },
    { id: 'b', agent: { key: 'echo' }, dependsOn: ['a'] },
  ],
};
const started = runFact('run.started', {}, 10);
const completedA: readonly Fact[] = [
  stepFact('step.started', 'a#1', { input: { n: 1 } }, 20),
  stepFact(
    'step.completed',
    'a#1',
    { output: 1, usage: { inputTokens: 3, outputTokens: 4, reasoningTokens: 5 }, costMicros: 7 },
    30,
  ),
];

function stateOf(...facts: readonly Fact[]): RunState {
  return given(definition, facts, { tags: ['t'], priority: 70 }).state;
}

function stepView(state: RunState, id: string): StepView<Kept> {
  return viewOfStep(state, unitAt(state, id));
}

describe('the view of a run', () => {
  it('of one that was queued has no times, output or failure', () => {
    expect(viewOfRun('default', stateOf())).toStrictEqual({
      id: RUN_ID,
      namespace: 'default',
      name: 'two',
      status: 'queued',
      createdAt: '1970-01-01T00:00:00.000Z',
      progress: { completed: 0, total: 2, percent: 0 },
      input: {},
      context: {},
      usage: {},
      costUsd: 0,
      tags: ['t'],
      priority: 70,
      manifest: { agents: {} },
      lastSeq: 1,
      links: {
        self: `/api/v1/runs/${RUN_ID}`,
        steps: `/api/v1/runs/${RUN_ID}/steps`,
        events: `/api/v1/runs/${RUN_ID}/events`,
      },
    });
  });

  it('says what it has spent and how far it has come', () => {
    expect(viewOfRun('default', stateOf(started, ...completedA))).toMatchObject({
      status: 'running',
      startedAt: '1970-01-01T00:00:00.010Z',
      progress: { completed: 1, total: 2, percent: 50 },
      usage: { inputTokens: 3, outputTokens: 4, reasoningTokens: 5 },
      costUsd: 0.000007,
      lastSeq: 4,
    });
  });

  it('has an output that is null', () => {
    const view = viewOfRun('default', stateOf(started, runFact('run.completed', { output: null }, 99)));

    expect(view).toMatchObject({ status: 'completed', output: null, endedAt: '1970-01-01T00:00:00.099Z' });
  });

  it('has the failure of a bad end', () => {
    const facts = [started, runFact('run.failed', { status: 'timed_out', failure: REFUSED })];

    expect(viewOfRun('default', stateOf(...facts))).toMatchObject({ status: 'timed_out', failure: REFUSED });
  });
});

describe('the view of a step', () => {
  it('before it began says what it waits for', () => {
    expect(stepView(stateOf(started), 'b')).toStrictEqual({
      id: 'b',
      path: 'b',
      kind: 'agent',
      agent: 'echo',
      status: 'pending',
      dependsOn: ['a'],
      attempts: 0,
      usage: {},
      costUsd: 0,
    });
  });

  it('after it has completed has input, output, times and cost', () => {
    expect(stepView(stateOf(started, ...completedA), 'a')).toStrictEqual({
      id: 'a',
      path: 'a',
      kind: 'agent',
      agent: 'scripted',
      status: 'completed',
      dependsOn: [],
      attempts: 1,
      startedAt: '1970-01-01T00:00:00.020Z',
      endedAt: '1970-01-01T00:00:00.030Z',
      input: { n: 1 },
      output: 1,
      usage: { inputTokens: 3, outputTokens: 4, reasoningTokens: 5 },
      costUsd: 0.000007,
    });
  });

  it('that waits for its next attempt says when it comes, and why', () => {
    const retryAt = '1970-01-01T00:00:05.000Z';
    const retrying = stepFact('step.retrying', 'a#1', { failure: REFUSED, retryAt, delayMs: 5 });

    expect(stepView(stateOf(started, completedA[0] as Fact, retrying), 'a')).toMatchObject({
      status: 'retrying',
      attempts: 1,
      retryAt,
      failure: REFUSED,
    });
  });

  it('says when its first attempt began, however many followed', () => {
    const interrupted = stepFact('step.interrupted', 'a#1', { cause: 'owner-lost', epoch: 2 });
    const again = stepFact('step.started', 'a#2', { input: {} }, 500);

    expect(stepView(stateOf(started, completedA[0] as Fact, interrupted, again), 'a')).toMatchObject({
      attempts: 2,
      startedAt: '1970-01-01T00:00:00.020Z',
    });
  });

  it('that was skipped says why, and one that its join will skip does not say so yet', () => {
    const skipped = stepFact('step.skipped', 'a', { reason: 'condition-false' });
    const state = stateOf(started, skipped);

    expect(stepView(state, 'a')).toMatchObject({ status: 'skipped', skipReason: 'condition-false' });
    expect(stepView(state, 'b')).not.toHaveProperty('skipReason');
  });

  it('shows what a run left undone at its end as cancelled', () => {
    const failed = runFact('run.failed', { status: 'failed', failure: REFUSED });

    expect(stepView(stateOf(started, failed), 'b').status).toBe('cancelled');
  });

  it('lists the files that it made', () => {
    const artifacts = [{ name: 'a.mix.svg', mediaType: 'image/svg+xml', bytes: 9, hash: 'ab' }];
    const facts = [completedA[0] as Fact, stepFact('step.completed', 'a#1', { output: 1, artifacts })];

    expect(stepView(stateOf(started, ...facts), 'a').artifacts).toEqual([
      {
        name: 'a.mix.svg',
        mediaType: 'image/svg+xml',
        bytes: 9,
        href: `/api/v1/runs/${RUN_ID}/artifacts/a.mix.svg`,
      },
    ]);
  });
});

it.each([
  [0, 0, 100],
  [0, 3, 0],
  [1, 3, 33],
  [2, 3, 66],
  [199, 200, 99],
  [3, 3, 100],
])('progress of %d of %d steps is %d percent, rounded down', (completed, total, percent) => {
  expect(progressOf(completed, total)).toEqual({ completed, total, percent });
});

describe('the summary', () => {
  it('of a run that was queued has zeros and no times', () => {
    expect(summaryOf(stateOf(), undefined)).toStrictEqual({
      status: 'queued',
      stepsTotal: 2,
      stepsCompleted: 0,
      stepsFailed: 0,
      stepsSkipped: 0,
      inputTokens: 0,
      outputTokens: 0,
      costMicros: 0,
    });
  });

  it('counts steps, tokens and cost, and has the times', () => {
    const skipped = stepFact('step.skipped', 'b', { reason: 'condition-false' });
    const failed = runFact('run.failed', { status: 'failed', failure: REFUSED }, 99);

    expect(summaryOf(stateOf(started, ...completedA, skipped, failed), 123)).toStrictEqual({
      status: 'failed',
      startedAt: 10,
      endedAt: 99,
      stepsTotal: 2,
      stepsCompleted: 1,
      stepsFailed: 0,
      stepsSkipped: 1,
      inputTokens: 3,
      outputTokens: 4,
      costMicros: 7,
      failureCode: 'agent.refused',
      failureMessage: 'no',
      wakeAt: 123,
    });
  });

  it('has a wake-up at the beginning of time', () => {
    expect(summaryOf(stateOf(), 0).wakeAt).toBe(0);
  });
});
