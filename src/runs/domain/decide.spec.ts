import { given, NOW, runFact, stepFact, type Asked, type Fact } from '../../../test/support/given.js';
import type { Failure } from '../../kernel/failure.js';
import { MAX_RETRY_AFTER_MS } from './retry.js';
import { CANCEL_GRACE_MS } from './decide.js';
import type { RunStatus } from './run.status.js';

const OVERLOADED: Failure = {
  code: 'agent.overloaded',
  kind: 'upstream',
  message: 'no room',
  retryable: true,
};
const REFUSED: Failure = { code: 'agent.refused', kind: 'upstream', message: 'no', retryable: false };

const started = runFact('run.started', {});
const paused = runFact('run.paused', {});
const cancelling = runFact('run.cancelling', { graceMs: CANCEL_GRACE_MS });
const startedStep = (place: string, at?: number): Fact => stepFact('step.started', place, { input: {} }, at);
const interrupted = (place: string, epoch: number): Fact =>
  stepFact('step.interrupted', place, { cause: 'owner-lost', epoch });
const retrying = (place: string, retryAt: number): Fact =>
  stepFact('step.retrying', place, {
    failure: OVERLOADED,
    retryAt: new Date(retryAt).toISOString(),
    delayMs: retryAt,
  });
const failedStep = (place: string, handled: boolean): Fact =>
  stepFact('step.failed', place, { failure: REFUSED, handled });

describe('every command in every status', () => {
  /** `a` has an open attempt, `b` is ready, the back-off of `c` is over. */
  const three = {
    retry: { maxAttempts: 3, initialIntervalMs: 100, jitter: 'none' },
    steps: ['a', 'b', 'c'].map((id) => ({ id, agent: 'scripted' })),
  };
  const under = [started, startedStep('a#1'), startedStep('c#1'), retrying('c#1', 100)];
  const HISTORIES: { readonly [S in RunStatus]: readonly Fact[] } = {
    queued: [],
    running: under,
    waiting: [...under, runFact('run.waiting', {})],
    paused: [...under, paused],
    cancelling: [...under, cancelling],
    completed: [...under, runFact('run.completed', { output: null })],
    failed: [...under, runFact('run.failed', { status: 'failed', failure: REFUSED })],
    timed_out: [...under, runFact('run.failed', { status: 'timed_out', failure: REFUSED })],
    cancelled: [...under, cancelling, runFact('run.cancelled', {})],
  };

  const refused = 'refused: run.not-active';
  /** What follows, by status; nothing where it is not said. */
  const table: readonly (readonly [Asked, { readonly [S in RunStatus]?: string }])[] = [
    [{ type: 'begin' }, { queued: 'run.started' }],
    [
      { type: 'recover', epoch: 2 },
      {
        running: 'step.interrupted',
        waiting: 'step.interrupted',
        paused: 'step.interrupted',
        cancelling: 'step.interrupted',
      },
    ],
    [
      { type: 'hand-back', epoch: 2 },
      {
        running: 'step.interrupted',
        waiting: 'step.interrupted',
        paused: 'step.interrupted',
        cancelling: 'step.interrupted',
      },
    ],
    [{ type: 'resolve', path: 'b', resolution: { kind: 'start', input: 1 } }, { running: 'step.started' }],
    [
      { type: 'resolve', path: 'b', resolution: { kind: 'skip', reason: 'condition-false' } },
      { running: 'step.skipped' },
    ],
    [
      { type: 'resolve', path: 'b', resolution: { kind: 'fail', failure: REFUSED } },
      { running: 'step.failed' },
    ],
    [{ type: 'restart', path: 'c' }, { running: 'step.started' }],
    [
      { type: 'complete', path: 'a', attempt: 1, output: 1 },
      {
        running: 'step.completed',
        waiting: 'step.completed',
        paused: 'step.completed',
        cancelling: 'step.completed',
      },
    ],
    [
      { type: 'fail', path: 'a', attempt: 1, failure: OVERLOADED, random: 0 },
      {
        running: 'step.retrying',
        waiting: 'step.retrying',
        paused: 'step.retrying',
        cancelling: 'step.cancelled',
      },
    ],
    [
      { type: 'fail', path: 'a', attempt: 1, failure: REFUSED, random: 0 },
      { running: 'step.failed', waiting: 'step.failed', paused: 'step.failed', cancelling: 'step.cancelled' },
    ],
    [{ type: 'aborted', path: 'a', attempt: 1 }, { cancelling: 'step.cancelled' }],
    [
      { type: 'record-turn', path: 'a', attempt: 1, body: {} },
      {
        running: 'turn.completed',
        waiting: 'turn.completed',
        paused: 'turn.completed',
        cancelling: 'turn.completed',
      },
    ],
    [{ type: 'conclude' }, {}],
    [{ type: 'finish', output: null }, { running: 'run.completed' }],
    [{ type: 'finish-failed', failure: REFUSED }, { running: 'step.cancelled run.failed' }],
    [{ type: 'finish-cancelled' }, { cancelling: 'step.cancelled run.cancelled' }],
    [{ type: 'tick' }, {}],
    [
      { type: 'pause' },
      {
        queued: 'run.paused',
        running: 'run.paused',
        waiting: 'run.paused',
        cancelling: refused,
        completed: refused,
        failed: refused,
        timed_out: refused,
        cancelled: refused,
      },
    ],
    [
      { type: 'resume' },
      {
        paused: 'run.resumed',
        cancelling: refused,
        completed: refused,
        failed: refused,
        timed_out: refused,
        cancelled: refused,
      },
    ],
    [
      { type: 'cancel' },
      {
        queued: 'run.cancelling',
        running: 'run.cancelling',
        waiting: 'run.cancelling',
        paused: 'run.cancelling',
      },
    ],
  ];
  const statuses = Object.keys(HISTORIES) as RunStatus[];
  const rows = table.flatMap(([asked, outcomes]) =>
    statuses.map((status) => ({ asked, status, outcome: outcomes[status] ?? 'nothing' })),
  );

  it.each(rows)('$status: $asked.type leads to $outcome', ({ asked, status, outcome }) => {
    expect(given(three, HISTORIES[status]).when(asked).outline).toBe(outcome);
  });
});

const one = { steps: [{ id: 'a', agent: 'scripted' }] };
const open = [started, startedStep('a#1')];

describe('pausing, resuming and cancelling', () => {
  it('says by whom and why', () => {
    given(one, open)
      .when({ type: 'pause', by: 'key_1', reason: 'lunch' })
      .then(runFact('run.paused', { by: 'key_1', reason: 'lunch' }));
    given(one, [...open, paused])
      .when({ type: 'resume', by: 'key_1' })
      .then(runFact('run.resumed', { by: 'key_1' }));
    given(one, open)
      .when({ type: 'cancel', by: 'key_1', reason: 'enough' })
      .then(runFact('run.cancelling', { by: 'key_1', reason: 'enough', graceMs: CANCEL_GRACE_MS }));
  });

  it('gives the reason of the cancellation again when the run has been cancelled', () => {
    given(one, [started, runFact('run.cancelling', { reason: 'enough', graceMs: 1 })])
      .when({ type: 'finish-cancelled' })
      .then(runFact('run.cancelled', { reason: 'enough' }));
  });

  it('makes a run that was paused in the queue queued again', () => {
    const run = given(one, [paused, runFact('run.resumed', {})]);

    expect(run.state.status).toBe('queued');
    run.when({ type: 'begin' }).then(started);
  });
});

describe('the end of the grace of a cancelled run', () => {
  const late = [...open, runFact('run.cancelling', { graceMs: 100 }, 500)];

  it('has not come a millisecond before', () => {
    given(one, late).when({ type: 'tick', at: 599 }).thenNothing();
  });

  it('ends the run and its open attempts', () => {
    given(one, late)
      .when({ type: 'tick', at: 600 })
      .then(stepFact('step.cancelled', 'a#1', { reason: 'run-cancelled' }), runFact('run.cancelled', {}));
  });

  it('is not shortened by the execution time-out', () => {
    given(one, late, { timeoutMs: 10 }).when({ type: 'tick', at: 599 }).thenNothing();
  });
});

describe('the execution time-out', () => {
  const timedOut = (): Fact =>
    runFact('run.failed', {
      status: 'timed_out',
      failure: {
        code: 'run.timed-out',
        kind: 'timeout',
        message: 'the run executed for longer than its 100 ms',
        retryable: false,
        details: { timeoutMs: 100 },
      },
    });
  const options = { timeoutMs: 100 };

  it.each([
    ['counts from the start', [runFact('run.started', {}, 10)], 110],
    [
      'does not count the time paused',
      [runFact('run.started', {}, 10), runFact('run.paused', {}, 50), runFact('run.resumed', {}, 900)],
      960,
    ],
    [
      'does not count the time waiting',
      [runFact('run.started', {}, 0), runFact('run.waiting', {}, 99), runFact('run.resumed', {}, 500)],
      501,
    ],
  ])('%s', (_, facts, deadline) => {
    given(one, facts, options)
      .when({ type: 'tick', at: deadline - 1 })
      .thenNothing();
    given(one, facts, options).when({ type: 'tick', at: deadline }).then(timedOut());
  });

  it('cancels open attempts', () => {
    given(one, open, options)
      .when({ type: 'tick', at: 100 })
      .then(stepFact('step.cancelled', 'a#1', { reason: 'run-failed' }), timedOut());
  });

  it.each([
    ['queued', []],
    ['paused', [started, paused]],
    ['paused before it began', [paused]],
  ])('never comes for a run that is %s', (_, facts) => {
    given(one, facts, options).when({ type: 'tick', at: 1e12 }).thenNothing();
  });
});

describe('a report about an attempt', () => {
  const reports: readonly Asked[] = [
    { type: 'complete', path: 'a', attempt: 1, output: 'late' },
    { type: 'fail', path: 'a', attempt: 1, failure: REFUSED, random: 0 },
    { type: 'record-turn', path: 'a', attempt: 1, body: 'late' },
    { type: 'aborted', path: 'a', attempt: 1 },
  ];
  const histories: readonly (readonly [string, readonly Fact[]])[] = [
    ['has completed', [...open, stepFact('step.completed', 'a#1', { output: 1 })]],
    ['waits for its next attempt', [...open, retrying('a#1', 100)]],
    ['is at its next attempt', [...open, retrying('a#1', 100), startedStep('a#2')]],
    ['was interrupted', [...open, interrupted('a#1', 2)]],
    ['has not begun', [started]],
  ];
  const rows = reports.flatMap((asked) => histories.map(([what, facts]) => ({ asked, what, facts })));

  it.each(rows)('changes nothing when the step $what: $asked.type', ({ asked, facts }) => {
    given(one, facts).when(asked).thenNothing();
  });

  it.each<Asked>([
    { type: 'complete', path: 'b', attempt: 1, output: 1 },
    { type: 'complete', path: 'constructor', attempt: 1, output: 1 },
    { type: 'complete', path: 'a', attempt: 2, output: 1 },
    { type: 'complete', path: 'a', attempt: 0, output: 1 },
  ])('changes nothing when there is no such attempt: $path#$attempt', (asked) => {
    given(one, open).when(asked).thenNothing();
  });

  it('takes what it spent and made into the event', () => {
    const spent = { usage: { inputTokens: 3 }, costMicros: 7 };
    const artifacts = [{ name: 'a.txt', mediaType: 'text/plain', bytes: 1, hash: 'ab' }];

    given(one, open)
      .when({ type: 'complete', path: 'a', attempt: 1, output: 1, artifacts, ...spent })
      .then(stepFact('step.completed', 'a#1', { output: 1, artifacts, ...spent }));
    given(one, open)
      .when({ type: 'fail', path: 'a', attempt: 1, failure: REFUSED, random: 0, ...spent })
      .then(stepFact('step.failed', 'a#1', { failure: REFUSED, handled: false, ...spent }));
  });
});

describe('a failed attempt', () => {
  const failing = (failure: Failure, random = 0.5): Asked => ({
    type: 'fail',
    path: 'a',
    attempt: 1,
    failure,
    random,
  });
  const withRetry = (retry: object, more: object = {}): unknown => ({
    steps: [{ id: 'a', agent: 'scripted', retry, ...more }],
  });
  const noJitter = { initialIntervalMs: 100, jitter: 'none' };
  const again = (delayMs: number, failure = OVERLOADED): Fact =>
    stepFact('step.retrying', 'a#1', {
      failure,
      retryAt: new Date(NOW + delayMs).toISOString(),
      delayMs,
    });

  it('is followed by another after the back-off', () => {
    given(withRetry(noJitter), open).when(failing(OVERLOADED)).then(again(100));
  });

  it('spreads the back-off by the random number of the command', () => {
    given(withRetry({ initialIntervalMs: 100 }), open)
      .when(failing(OVERLOADED, 0.25))
      .then(again(25));
  });

  it('waits as long as the other side asks, at most 15 minutes', () => {
    const patient = { ...OVERLOADED, retryAfterMs: 40_000 };
    const endless = { ...OVERLOADED, retryAfterMs: 86_400_000 };

    given(withRetry(noJitter), open).when(failing(patient)).then(again(40_000, patient));
    given(withRetry(noJitter), open).when(failing(endless)).then(again(MAX_RETRY_AFTER_MS, endless));
  });

  it.each([
    ['the failure is not retryable', withRetry(noJitter), REFUSED],
    ['the policy excludes its code', withRetry({ nonRetryableErrors: ['agent.overloaded'] }), OVERLOADED],
    ['the policy allows one attempt', withRetry({ maxAttempts: 1 }), OVERLOADED],
    [
      'the next would begin after the time of all attempts',
      withRetry(noJitter, { totalTimeoutMs: NOW + 100 }),
      OVERLOADED,
    ],
  ])('is the last when %s', (_, definition, failure) => {
    given(definition, open)
      .when(failing(failure))
      .then(stepFact('step.failed', 'a#1', { failure, handled: false }));
  });

  it('is followed by another just before the time of all attempts is over', () => {
    given(withRetry(noJitter, { totalTimeoutMs: NOW + 101 }), open)
      .when(failing(OVERLOADED))
      .then(again(100));
  });

  it('counts failures, not attempts: an interrupted one is free', () => {
    const facts = [...open, interrupted('a#1', 2), startedStep('a#2')];

    given(withRetry({ ...noJitter, maxAttempts: 2 }), facts)
      .when({ ...failing(OVERLOADED), attempt: 2 } as Asked)
      .then({ ...again(100), attempt: 2 });
  });

  it('is handled when the definition continues', () => {
    given(withRetry({ maxAttempts: 1 }, { onError: 'continue' }), open)
      .when(failing(OVERLOADED))
      .then(stepFact('step.failed', 'a#1', { failure: OVERLOADED, handled: true }));
  });
});

describe('a failure that nothing handles', () => {
  const two = { steps: ['a', 'b'].map((id) => ({ id, agent: 'scripted' })) };
  const facts = [started, startedStep('a#1'), startedStep('b#1'), failedStep('a#1', false)];
  const ended = [
    stepFact('step.cancelled', 'b#1', { reason: 'run-failed' }),
    runFact('run.failed', {
      status: 'failed',
      failure: { ...REFUSED, message: 'step "a" failed: no', details: { stepId: 'a' } },
    }),
  ];

  it('ends the run and what is open', () => {
    given(two, facts)
      .when({ type: 'conclude' })
      .then(...ended);
  });

  it('ends a run that was paused meanwhile', () => {
    given(two, [...facts.slice(0, 3), paused, ...facts.slice(3)])
      .when({ type: 'conclude' })
      .then(...ended);
  });

  it('is the first one, when several come', () => {
    const run = given(two, [...facts, failedStep('b#1', false)]);

    expect(run.state.fatal?.details).toEqual({ stepId: 'a' });
  });

  it('starts nothing that waits for it', () => {
    const chain = {
      steps: [
        { id: 'a', agent: 'scripted' },
        { id: 'b', agent: 'scripted', dependsOn: ['a'], join: 'all_settled' },
      ],
    };

    given(chain, [started, startedStep('a#1'), failedStep('a#1', false)])
      .when({ type: 'resolve', path: 'b', resolution: { kind: 'start', input: 1 } })
      .thenNothing();
  });
});

describe('starting an attempt', () => {
  it('numbers attempts from 1 and keeps the input that was resolved', () => {
    given(one, [started])
      .when({ type: 'resolve', path: 'a', resolution: { kind: 'start', input: { n: 1 } } })
      .then(stepFact('step.started', 'a#1', { input: { n: 1 } }));
    given(one, [started, stepFact('step.started', 'a#1', { input: { n: 1 } }), interrupted('a#1', 2)])
      .when({ type: 'restart', path: 'a' })
      .then(stepFact('step.started', 'a#2', { input: { n: 1 } }));
  });

  it('waits for the end of the back-off', () => {
    const facts = [...open, retrying('a#1', 100)];

    given(one, facts).when({ type: 'restart', path: 'a', at: 99 }).thenNothing();
    given(one, facts).when({ type: 'restart', path: 'a', at: 100 }).then(startedStep('a#2'));
  });

  it.each<readonly [string, readonly Fact[], Asked]>([
    ['a step without an input is restarted', [started], { type: 'restart', path: 'a' }],
    ['an open step is restarted', open, { type: 'restart', path: 'a' }],
    [
      'an open step is resolved',
      open,
      { type: 'resolve', path: 'a', resolution: { kind: 'start', input: 1 } },
    ],
    ['there is no such step', [started], { type: 'restart', path: '__proto__' }],
    [
      'a step is resolved that does not exist',
      [started],
      { type: 'resolve', path: 'toString', resolution: { kind: 'start', input: 1 } },
    ],
  ])('does nothing when %s', (_, facts, asked) => {
    given(one, facts).when(asked).thenNothing();
  });

  it('that fails to be resolved fails the step without an attempt', () => {
    given(one, [started])
      .when({ type: 'resolve', path: 'a', resolution: { kind: 'fail', failure: REFUSED } })
      .then(failedStep('a', false));
  });

  it('that is skipped says why', () => {
    given(one, [started])
      .when({
        type: 'resolve',
        path: 'a',
        resolution: { kind: 'skip', reason: 'dependencies-failed' },
      })
      .then(stepFact('step.skipped', 'a', { reason: 'dependencies-failed' }));
  });
});

describe('turns', () => {
  const turn = (n: number): Fact => stepFact('turn.completed', 'a#1', { turn: n, body: { n } });

  it('are numbered within the step, on over interruptions', () => {
    given(one, open)
      .when({ type: 'record-turn', path: 'a', attempt: 1, body: 'x', costMicros: 5 })
      .then(stepFact('turn.completed', 'a#1', { turn: 1, body: 'x', costMicros: 5 }));
    given(one, [...open, turn(1), turn(2), interrupted('a#1', 2), startedStep('a#2')])
      .when({ type: 'record-turn', path: 'a', attempt: 2, body: 'x' })
      .then(stepFact('turn.completed', 'a#2', { turn: 3, body: 'x' }));
  });

  it('that are outcomes of tools are numbered with the others, and told apart', () => {
    const tool = { name: 'search', callId: 'call_1', input: { q: 'x' }, output: ['y'] };
    given(one, [...open, turn(1)])
      .when({ type: 'record-turn', path: 'a', attempt: 1, body: 'b', tool, costMicros: 2 })
      .then(stepFact('tool.called', 'a#1', { turn: 2, body: 'b', tool, costMicros: 2 }));
    const { state } = given(one, [
      ...open,
      turn(1),
      stepFact('tool.called', 'a#1', { turn: 2, body: 'b', tool }),
    ]);
    expect(state.root.units[0]?.turns).toEqual([
      { turn: 1, body: { n: 1 } },
      { turn: 2, body: 'b', tool },
    ]);
  });

  it('add to what step and run have spent', () => {
    const { state } = given(one, [
      ...open,
      stepFact('turn.completed', 'a#1', { turn: 1, body: 1, usage: { inputTokens: 2 }, costMicros: 3 }),
      stepFact('step.completed', 'a#1', {
        output: 1,
        usage: { inputTokens: 4, outputTokens: 1 },
        costMicros: 5,
      }),
    ]);

    expect([state.usage, state.costMicros]).toEqual([{ inputTokens: 6, outputTokens: 1 }, 8]);
    expect([state.root.units[0]?.usage, state.root.units[0]?.costMicros]).toEqual([
      { inputTokens: 6, outputTokens: 1 },
      8,
    ]);
  });
});

describe('a new owner, or one that is told to stop', () => {
  const two = { steps: ['b', 'a'].map((id) => ({ id, agent: 'scripted' })) };

  it.each([
    ['recover', 'owner-lost'],
    ['hand-back', 'handed-back'],
  ] as const)('interrupts open attempts in the order of the definition: %s', (type, cause) => {
    given(two, [started, startedStep('a#1'), startedStep('b#1')])
      .when({ type, epoch: 4 })
      .then(
        stepFact('step.interrupted', 'b#1', { cause, epoch: 4 }),
        stepFact('step.interrupted', 'a#1', { cause, epoch: 4 }),
      );
  });
});

describe('deaths of owners', () => {
  const two = { steps: ['a', 'b'].map((id) => ({ id, agent: 'scripted' })) };
  const death = (attempt: number): readonly Fact[] => [
    interrupted(`a#${String(attempt)}`, attempt + 1),
    startedStep(`a#${String(attempt + 1)}`),
  ];
  const handBack = stepFact('step.interrupted', 'a#1', { cause: 'handed-back', epoch: 2 });

  it.each<readonly [string, number, readonly Fact[]]>([
    ['each count', 2, [...death(1), ...death(2)]],
    [
      'with several attempts open count once',
      1,
      [startedStep('b#1'), interrupted('a#1', 2), interrupted('b#1', 2)],
    ],
    ['do not include a hand-back', 0, [handBack]],
    [
      'do not count when the attempt had recorded a turn',
      0,
      [stepFact('turn.completed', 'a#1', { turn: 1, body: 1 }), interrupted('a#1', 2)],
    ],
    [
      'count again when the next attempt records nothing',
      1,
      [stepFact('turn.completed', 'a#1', { turn: 1, body: 1 }), ...death(1), interrupted('a#2', 3)],
    ],
    ['are forgotten after a turn', 0, [...death(1), stepFact('turn.completed', 'a#2', { turn: 1, body: 1 })]],
    ['are forgotten after an outcome', 0, [...death(1), stepFact('step.completed', 'a#2', { output: 1 })]],
    ['are forgotten after a failure that is retried', 0, [...death(1), retrying('a#2', 100)]],
    [
      'are forgotten after the outcome of another step',
      0,
      [...death(1), startedStep('b#1'), stepFact('step.completed', 'b#1', { output: 1 })],
    ],
    ['are not forgotten after a start', 1, death(1)],
  ])('%s', (_, deaths, facts) => {
    expect(given(two, [...open, ...facts]).state.deaths).toBe(deaths);
  });

  it('end the run as poisoned with the fourth in a row', () => {
    const facts = [...open, ...death(1), ...death(2), ...death(3)];
    expect(given(two, facts).state.fatal).toBeUndefined();

    given(two, [...facts, interrupted('a#4', 5)])
      .when({ type: 'conclude' })
      .then(
        runFact('run.failed', {
          status: 'failed',
          failure: {
            code: 'run.poisoned',
            kind: 'internal',
            message: '4 owners in a row died while an attempt of this run was open',
            retryable: false,
            details: { deaths: 4 },
          },
        }),
      );
  });
});
