/** Steps whose work is a run of its own, as the decider sees them. */
import { given, runFact, stepFact, type Fact } from '../../../test/support/given.js';
import { graphOf, queuedEvent, RUN_ID, SimulatedRun } from '../../../test/support/simulated-run.js';
import type { Failure } from '../../kernel/failure.js';
import type { PinnedDefinition, RunEventOf } from './run.events.js';
import { initialState, liveUnit, unitAt } from './run.state.js';
import { abandonedBy, deliveryOf, firstEventOf, lineageOf } from './sub-run.js';

const OVERLOADED: Failure = {
  code: 'agent.overloaded',
  kind: 'upstream',
  message: 'no room',
  retryable: true,
};

const sub = { id: 'sub', workflow: { name: 'other' } };
const once = (...steps: readonly object[]): object => ({ steps });
const started: Fact = stepFact('step.started', 'sub#1', { input: {}, subRunId: 'run_a' });
const waiting: Fact = stepFact('step.waiting', 'sub#1', { for: 'run', ref: 'run_a' });
const begun: readonly Fact[] = [runFact('run.started', {}), started, waiting];

function failed(failure: Failure, spent: object = {}): Fact {
  return stepFact('step.failed', 'sub#1', { failure, handled: false, ...spent });
}

describe('a step that runs a workflow', () => {
  it('starts an attempt and waits for its run in one decision, until its time is up', () => {
    const definition = once({ ...sub, timeoutMs: 500, totalTimeoutMs: 900 });
    given(definition, [runFact('run.started', {})])
      .when({ type: 'resolve', path: 'sub', resolution: { kind: 'delegate', input: 7 }, subRunId: 'run_a' })
      .then(
        stepFact('step.started', 'sub#1', { input: 7, subRunId: 'run_a' }),
        stepFact('step.waiting', 'sub#1', { for: 'run', ref: 'run_a', until: '1970-01-01T00:00:01.500Z' }),
      );
  });

  it('completes with the output of the run, and what that has spent', () => {
    const spent = { usage: { inputTokens: 3 }, costMicros: 9 };
    given(once(sub), begun)
      .when({
        ...{ type: 'deliver', path: 'sub', wait: 4, random: 0 },
        outcome: { status: 'completed', output: 'done', ...spent },
      })
      .then(stepFact('step.completed', 'sub#1', { output: 'done', ...spent }));
  });

  it('is not tried again without a policy: the steps of the run were', () => {
    const outcome = { status: 'failed', failure: OVERLOADED } as const;
    given(once(sub), begun)
      .when({ type: 'deliver', path: 'sub', wait: 4, random: 0, outcome })
      .then(failed(OVERLOADED));
  });

  it('is tried again by a policy, by another run', () => {
    const run = SimulatedRun.of(once({ ...sub, retry: { maxAttempts: 2, initialIntervalMs: 10 } }));
    run.takeUp();
    run.deliver(unitAt(run.state, 'sub'), { failure: OVERLOADED });
    run.now = 100;
    run.turn([]);

    expect(unitAt(run.state, 'sub')).toMatchObject({ status: 'waiting', attempt: 2, failures: 1 });
    const ids = run.events.flatMap(({ type, data }) => (type === 'step.waiting' ? [data] : []));
    expect(ids).toMatchObject([
      { for: 'run', ref: `run_of ${RUN_ID}:sub:1` },
      { for: 'run', ref: `run_of ${RUN_ID}:sub:1 1` },
    ]);
  });

  it('is not the end of what comes last, though its run killed its process again and again', () => {
    const steps = [sub, { id: 'bye', kind: 'transform', expression: 'run.end.error.code', finally: true }];
    const run = SimulatedRun.of({ steps });
    run.takeUp();
    const poisoned: Failure = { code: 'run.poisoned', kind: 'internal', message: '', retryable: false };
    run.deliver(unitAt(run.state, 'sub'), { failure: poisoned });

    expect(run.state).toMatchObject({ status: 'failed', failure: { code: 'run.poisoned' } });
    expect(unitAt(run.state, 'bye')).toMatchObject({ status: 'completed', output: 'run.poisoned' });
  });

  it('begins with others in small appends, each of which has their definitions', () => {
    const items = Array.from({ length: 120 }, (_, index) => index);
    const run = SimulatedRun.of(once({ ...sub, forEach: { items, maxConcurrency: 1_000 } }));
    run.takeUp();
    const perAppend = run.appends.map(
      (events) => events.filter(({ type }) => type === 'item.waiting').length,
    );

    expect(run.state.frontier.subRuns.size).toBe(120);
    expect(perAppend.filter((count) => count > 0)).toEqual([50, 50, 20]);
  });

  it('takes none of the places of its run', () => {
    const run = SimulatedRun.of(once({ ...sub, id: 'one' }, sub, { id: 'a', agent: 'scripted' }), {
      maxParallelSteps: 1,
    });
    run.takeUp();

    expect([...run.open.keys()]).toEqual(['a']);
    expect(run.state.frontier.subRuns.size).toBe(2);
  });

  it('maps over as many items at once as the run has places, where nothing else is said', () => {
    const run = SimulatedRun.of(once({ ...sub, forEach: { items: [1, 2, 3, 4] } }), { maxParallelSteps: 2 });
    run.takeUp();
    expect(run.state.frontier.subRuns.size).toBe(2);

    run.deliver(unitAt(run.state, 'sub[0]'), { output: 1 });
    expect([...run.state.frontier.subRuns].map(({ path }) => path)).toEqual(['sub[1]', 'sub[2]']);
  });

  it('fails where too many runs are above', () => {
    const definition = once(sub);
    const queued = queuedEvent(definition);
    const parent = { runId: 'run_b', path: 'x', depth: 10 };
    const run = new SimulatedRun(graphOf(definition), [{ ...queued, data: { ...queued.data, parent } }]);
    run.takeUp();

    expect(run.state.failure).toMatchObject({ code: 'workflow.too-deep', retryable: false });
  });
});

describe('a sub-run that was given up', () => {
  const timedOut = { ...sub, timeoutMs: 100, onError: 'continue' };

  it('counts with what it has spent when it ends, once', () => {
    const run = SimulatedRun.of(once(timedOut, { id: 'hold', kind: 'signal', signal: 'go' }));
    run.takeUp();
    const { wait } = unitAt(run.state, 'sub');
    run.now = 200;
    run.turn([]);
    expect(unitAt(run.state, 'sub').status).toBe('failed');

    const outcome = {
      status: 'failed',
      failure: OVERLOADED,
      usage: { inputTokens: 2 },
      costMicros: 7,
    } as const;
    const late = { type: 'deliver', at: 200, path: 'sub', wait: wait?.seq ?? 0, outcome, random: 0 } as const;
    const told = run.turn([late]).filter(({ type }) => type === 'run.spent');

    expect(told).toMatchObject([{ data: { path: 'sub', costMicros: 7, usage: { inputTokens: 2 } } }]);
    expect(run.state).toMatchObject({ costMicros: 7, usage: { inputTokens: 2 }, status: 'waiting' });
    expect(unitAt(run.state, 'sub').costMicros).toBe(7);
    expect(run.turn([late])).toEqual([]);
  });

  it('is nothing to the run where it has spent nothing', () => {
    const run = SimulatedRun.of(once(timedOut, { id: 'hold', kind: 'signal', signal: 'go' }));
    run.takeUp();
    const { wait } = unitAt(run.state, 'sub');
    run.now = 200;
    run.turn([]);

    const outcome = { status: 'completed', output: 1 } as const;
    expect(
      run.turn([{ type: 'deliver', at: 200, path: 'sub', wait: wait?.seq ?? 0, outcome, random: 0 }]),
    ).toEqual([]);
  });
});

describe('a cancelled run', () => {
  const cancelling = runFact('run.cancelling', { graceMs: 5_000 });

  it('waits for its sub-runs, and counts what they have spent', () => {
    const outcome = { status: 'failed', failure: OVERLOADED, costMicros: 5 } as const;
    given(once(sub), [...begun, cancelling])
      .when({ type: 'deliver', path: 'sub', wait: 4, random: 0, outcome })
      .then(stepFact('step.cancelled', 'sub#1', { reason: 'run-cancelled', costMicros: 5 }));
  });

  it('ends without them when its grace is over', () => {
    const run = SimulatedRun.of(once(sub));
    run.takeUp();
    run.turn([{ type: 'cancel', at: 0 }]);
    expect(run.state.status).toBe('cancelling');

    run.now = 5_000;
    run.turn([]);
    expect(run.state.status).toBe('cancelled');
  });
});

describe('what a run and its sub-runs mean for each other', () => {
  const other: PinnedDefinition = {
    ...{ id: 'wf_1', version: 2, agents: {}, templates: {}, timeoutMs: 5, maxParallelSteps: 3 },
    definition: { name: 'other', steps: [sub], context: { tempo: 120 } },
    workflows: { other: { id: 'wf_1', version: 2 } },
  };

  it('is pinned: a sub-run begins with all that it needs, its own sub-runs included', () => {
    const queued = queuedEvent(once(sub));
    const manifest = {
      agents: {},
      workflows: { other: { id: 'wf_1', version: 2 } },
      definitions: { 'wf_1@2': other, 'wf_2@1': { ...other, id: 'wf_2', version: 1 } },
    };
    const run = new SimulatedRun(graphOf(once(sub)), [{ ...queued, data: { ...queued.data, manifest } }]);
    run.takeUp();
    const wait = run.events.find(({ type }) => type === 'step.waiting') as RunEventOf<'step.waiting'>;

    expect(firstEventOf(run, unitAt(run.state, 'sub'), wait)).toMatchObject({
      runId: wait.data.ref,
      seq: 1,
      at: wait.at,
      data: {
        flags: [1],
        definition: other.definition,
        manifest: {
          workflow: { id: 'wf_1', version: 2 },
          workflows: other.workflows,
          definitions: { 'wf_1@2': other },
        },
        input: {},
        context: { tempo: 120 },
        options: { priority: 50, tags: [], timeoutMs: 5, maxParallelSteps: 3 },
        parent: { runId: RUN_ID, path: 'sub', wait: wait.seq, depth: 1 },
      },
    });
  });

  it('is the same lineage however often an attempt is made, and another after each failure', () => {
    const state = initialState(queuedEvent(once(sub)), graphOf(once(sub)));
    const unit = liveUnit(state, 'sub');
    if (unit === undefined) throw new Error('there is no unit');

    expect(lineageOf(state, { ...unit, attempt: 5 })).toBe(lineageOf(state, unit));
    expect(lineageOf(state, { ...unit, failures: 1 })).not.toBe(lineageOf(state, unit));
    expect(lineageOf(state, { ...unit, generation: 2 })).not.toBe(lineageOf(state, unit));
  });

  it('is told by the terminal event only', () => {
    const run = SimulatedRun.of(once({ id: 'a', kind: 'transform', expression: '1' }));
    run.takeUp();
    const told = run.events.flatMap((event) => deliveryOf(run, event) ?? []);

    expect(told).toEqual([{ status: 'completed', output: { a: 1 } }]);
  });

  it('is given up with a cancelled step, or one whose time was up', () => {
    const facts = { runId: RUN_ID, seq: 9, at: '1970-01-01T00:00:00.000Z', stepId: 'sub' };
    const unit = (): { subRunId: string } => ({ subRunId: 'run_a' });
    const timedOut = {
      ...{ code: 'step.timed-out', kind: 'timeout' as const, message: '', retryable: true },
      details: { for: 'run', ref: 'run_a' },
    } satisfies Failure;
    const retry = { retryAt: '', delayMs: 0 };

    expect(abandonedBy({ ...facts, type: 'step.cancelled', data: { reason: 'run-failed' } }, unit)).toBe(
      'run_a',
    );
    expect(
      abandonedBy({ ...facts, type: 'step.retrying', data: { failure: timedOut, ...retry } }, unit),
    ).toBe('run_a');
    expect(
      abandonedBy({ ...facts, type: 'step.failed', data: { failure: OVERLOADED, handled: false } }, unit),
    ).toBeUndefined();
  });
});
