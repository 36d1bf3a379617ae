import { given, runFact, stepFact, type Fact } from '../../../test/support/given.js';
import { RUN_ID } from '../../../test/support/simulated-run.js';
import type { AgentCondition } from '../../agents/domain/agent-condition.js';
import type { Failure } from '../../kernel/failure.js';
import type { Blocker, BlockerFacts } from './blocker.js';
import { blockersOf } from './blockers.js';

const NOW = 1_000;
const REFUSED: Failure = { code: 'agent.refused', kind: 'upstream', message: 'no', retryable: true };

/** What is known when nothing is wrong: this process drives the run. */
const CALM: BlockerFacts = {
  now: NOW,
  isOwned: true,
  isDue: false,
  process: { limit: 2, executing: [RUN_ID] },
  queuedAhead: 0,
  isolatedBehind: [],
  agents: new Map(),
  tasks: new Map(),
  runs: new Map(),
};

const started = runFact('run.started', {}, 10);
const startedA = stepFact('step.started', 'a#1', { input: null }, 20);
const iso = (ms: number): string => new Date(ms).toISOString();

function agentsOf(condition: Partial<AgentCondition>): Pick<BlockerFacts, 'agents'> {
  const whole = { key: 'echo', kind: 'echo', isOffline: false, waiting: [], holding: [], ...condition };
  return { agents: new Map([['echo', whole]]) };
}

interface Situation {
  readonly steps: readonly object[];
  readonly facts?: readonly Fact[];
  readonly known?: Partial<BlockerFacts>;
  readonly options?: { readonly maxParallelSteps?: number };
  /** By path; `run` is the run as a whole. */
  readonly expected: { readonly [path: string]: readonly Blocker[] };
}

const a = { id: 'a', agent: 'echo' };
const b = { id: 'b', agent: 'echo', dependsOn: ['a'] };
const others = [{ runId: 'run_x' }, { runId: 'run_y' }];
const full = { limit: 2, executing: ['run_x', 'run_y'] };
const attempt: Blocker = { kind: 'attempt', attempt: 1, since: iso(20), agent: 'echo' };

const SITUATIONS: { readonly [name: string]: Situation } = {
  'a step waits for one before it': {
    steps: [a, b],
    facts: [started, startedA],
    expected: { a: [attempt], b: [{ kind: 'dependency', path: 'a', status: 'running' }] },
  },
  'a condition reads a step that has not ended': {
    steps: [a, { ...b, when: 'steps.a.output == 1' }],
    facts: [started, startedA],
    expected: {
      a: [attempt],
      b: [
        { kind: 'dependency', path: 'a', status: 'running' },
        { kind: 'condition', reads: ['a'] },
      ],
    },
  },
  'a run is queued behind others while the process has no place': {
    steps: [a],
    known: { isOwned: false, isDue: true, process: full, queuedAhead: 3 },
    expected: {
      run: [
        { kind: 'queue', ahead: 3 },
        { kind: 'slot', of: 'process', limit: 2, heldBy: others },
      ],
      a: [
        { kind: 'queue', ahead: 3 },
        { kind: 'slot', of: 'process', limit: 2, heldBy: others },
      ],
    },
  },
  'a run is queued and there is a place': {
    steps: [a],
    known: { isOwned: false, isDue: true, process: { limit: 2, executing: [] } },
    expected: { run: [{ kind: 'queue', ahead: 0 }], a: [{ kind: 'queue', ahead: 0 }] },
  },
  'a run that was woken finds no place in the process': {
    steps: [a],
    facts: [started],
    known: { isOwned: false, isDue: true, process: full },
    expected: {
      run: [{ kind: 'slot', of: 'process', limit: 2, heldBy: others }],
      a: [{ kind: 'slot', of: 'process', limit: 2, heldBy: others }],
    },
  },
  'the owner has died and nobody has taken over': {
    steps: [a],
    facts: [started, startedA],
    known: { isOwned: false, isDue: true },
    expected: { run: [{ kind: 'owner' }], a: [{ kind: 'owner' }] },
  },
  'the places of the run are taken': {
    steps: [a, { id: 'c', agent: 'echo' }],
    options: { maxParallelSteps: 1 },
    facts: [started, startedA],
    expected: {
      a: [attempt],
      c: [{ kind: 'slot', of: 'run', limit: 1, heldBy: [{ runId: RUN_ID, path: 'a' }] }],
    },
  },
  'a step waits for a place and fails without one in time': {
    steps: [a, { id: 'c', agent: 'echo', queueTimeoutMs: 5_000 }],
    options: { maxParallelSteps: 1 },
    facts: [started, startedA],
    expected: {
      a: [attempt],
      c: [
        {
          ...{ kind: 'slot', of: 'run', limit: 1, heldBy: [{ runId: RUN_ID, path: 'a' }] },
          until: iso(5_010),
        },
      ],
    },
  },
  'a step that is about to start has no blocker': { steps: [a], facts: [started], expected: { a: [] } },
  'an attempt waits for a place at its agent': {
    steps: [a],
    facts: [started, startedA],
    known: agentsOf({
      maxConcurrency: 1,
      waiting: [{ runId: RUN_ID, path: 'a' }],
      holding: [{ runId: 'run_x', path: 'p[1]' }],
      obstacle: { by: 'slots', until: 9_000 },
    }),
    expected: {
      a: [{ kind: 'slot', of: 'agent', agent: 'echo', limit: 1, heldBy: [{ runId: 'run_x', path: 'p[1]' }] }],
    },
  },
  'an attempt waits for the rate of its agent': {
    steps: [a],
    facts: [started, startedA],
    known: agentsOf({
      waiting: [{ runId: RUN_ID, path: 'a' }],
      obstacle: { by: 'rate', until: 9_000 },
    }),
    expected: { a: [{ kind: 'rate', agent: 'echo', of: 'limit', until: iso(9_000) }] },
  },
  'the service of an agent asked for a pause': {
    steps: [a],
    facts: [started, startedA],
    known: agentsOf({
      waiting: [{ runId: RUN_ID, path: 'a' }],
      obstacle: { by: 'pause', until: 9_000 },
    }),
    expected: { a: [{ kind: 'rate', agent: 'echo', of: 'pause', until: iso(9_000) }] },
  },
  'another run waits at the agent, this one works': {
    steps: [a],
    facts: [started, startedA],
    known: agentsOf({ maxConcurrency: 1, waiting: [{ runId: 'run_x', path: 'a' }] }),
    expected: { a: [attempt] },
  },
  'an attempt failed and is tried again later': {
    steps: [a],
    facts: [
      started,
      startedA,
      stepFact('step.retrying', 'a#1', { failure: REFUSED, retryAt: iso(4_000), delayMs: 3_970 }, 30),
    ],
    expected: { a: [{ kind: 'timer', of: 'backoff', until: iso(4_000), failure: 'agent.refused' }] },
  },
  'it is tried again later, and its agent is offline': {
    steps: [a],
    facts: [
      started,
      startedA,
      stepFact('step.retrying', 'a#1', { failure: REFUSED, retryAt: iso(4_000), delayMs: 3_970 }, 30),
    ],
    known: agentsOf({ isOffline: true }),
    expected: {
      a: [
        { kind: 'timer', of: 'backoff', until: iso(4_000), failure: 'agent.refused' },
        { kind: 'agent', agent: 'echo', status: 'offline' },
      ],
    },
  },
  'the breaker of an agent is open': {
    steps: [a],
    facts: [started],
    known: agentsOf({ brokenUntil: 8_000 }),
    expected: { a: [{ kind: 'agent', agent: 'echo', status: 'broken', until: iso(8_000) }] },
  },
  'a breaker that has closed again is none': {
    steps: [a],
    facts: [started],
    known: agentsOf({ brokenUntil: NOW }),
    expected: { a: [] },
  },
  'a step waits for a time': {
    steps: [{ id: 'w', kind: 'wait', durationMs: 5_000 }],
    facts: [started, stepFact('step.waiting', 'w', { for: 'timer', until: iso(6_000) }, 20)],
    expected: { w: [{ kind: 'timer', of: 'wait', until: iso(6_000) }] },
  },
  'a step waits for a signal': {
    steps: [{ id: 's', kind: 'signal', signal: 'go', timeoutMs: 5_000 }],
    facts: [
      started,
      stepFact('step.waiting', 's', { for: 'signal', name: 'go', until: iso(6_000) }, 20),
      runFact('run.waiting', {}, 20),
    ],
    expected: { s: [{ kind: 'signal', name: 'go', until: iso(6_000) }] },
  },
  'a step waits for somebody to approve': {
    steps: [{ id: 'p', kind: 'approval', prompt: 'Ship?', assignees: ['ada'] }],
    facts: [
      started,
      stepFact(
        'approval.requested',
        'p',
        { id: 'apr_1', prompt: 'Ship?', assignees: ['ada'], onReject: 'fail' },
        20,
      ),
      stepFact('step.waiting', 'p', { for: 'approval', ref: 'apr_1' }, 20),
    ],
    expected: { p: [{ kind: 'approval', id: 'apr_1', assignees: ['ada'], prompt: 'Ship?' }] },
  },
  'an unit waits for a task that a worker has': {
    steps: [a],
    facts: [started, startedA],
    known: {
      tasks: new Map([
        ['a', { id: 'tsk_1', agent: 'echo', status: 'leased', since: 25, deliveries: 2, leaseUntil: 900 }],
      ]),
    },
    expected: {
      a: [{ kind: 'task', id: 'tsk_1', agent: 'echo', status: 'leased', since: iso(25), deliveries: 2 }],
    },
  },
  'a closed attempt waits for a task': {
    steps: [a],
    facts: [started, startedA, stepFact('step.waiting', 'a#1', { for: 'task', ref: 'tsk_1' }, 30)],
    expected: { a: [{ kind: 'task', id: 'tsk_1' }] },
  },
  'an attempt is carried out by another run': {
    steps: [a],
    facts: [started, startedA],
    known: { runs: new Map([['a', { runId: 'run_z', status: 'waiting' }]]) },
    expected: { a: [{ kind: 'run', runId: 'run_z', status: 'waiting' }] },
  },
  'an attempt has a time limit': {
    steps: [{ ...a, timeoutMs: 3_000 }],
    facts: [started, startedA],
    expected: { a: [{ ...attempt, until: iso(3_020) }] },
  },
  'a run is paused while one step is under way': {
    steps: [a, { id: 'c', agent: 'echo' }],
    facts: [started, startedA, runFact('run.paused', { by: 'key_1', reason: 'lunch' }, 40)],
    expected: {
      run: [{ kind: 'pause', since: iso(40), by: 'key_1', reason: 'lunch' }],
      a: [attempt],
      c: [{ kind: 'pause', since: iso(40), by: 'key_1', reason: 'lunch' }],
    },
  },
  'a run that was resumed is not paused': {
    steps: [a],
    facts: [started, runFact('run.paused', {}, 40), runFact('run.resumed', {}, 50)],
    expected: { run: [], a: [] },
  },
  'a run is cancelled while one step is under way': {
    steps: [a, { id: 'c', agent: 'echo' }],
    facts: [started, startedA, runFact('run.cancelling', { graceMs: 5_000, reason: 'enough' }, 40)],
    expected: {
      run: [{ kind: 'cancelling', until: iso(5_040), reason: 'enough' }],
      a: [attempt],
      c: [{ kind: 'cancelling', until: iso(5_040), reason: 'enough' }],
    },
  },
  'a step that comes last waits for the end': {
    steps: [a, { id: 'z', agent: 'echo', finally: true }],
    facts: [started, startedA],
    expected: { a: [attempt], z: [{ kind: 'ending' }] },
  },
  'items are under way, and no more at once': {
    steps: [{ id: 'm', agent: 'echo', forEach: { items: '[1, 2, 3]', maxConcurrency: 1 } }],
    facts: [
      started,
      stepFact('step.started', 'm#1', { input: [1, 2, 3], items: 3 }, 20),
      stepFact('item.started', 'm[0]#1', { input: 1 }, 20),
    ],
    expected: {
      m: [
        { kind: 'held', of: 'items', total: 3, ended: 0 },
        { kind: 'slot', of: 'step', limit: 1, heldBy: [{ runId: RUN_ID, path: 'm[0]' }] },
      ],
      'm[0]': [attempt],
    },
  },
  'the steps of a body wait for one another': {
    steps: [
      {
        id: 'l',
        kind: 'loop',
        repeat: { maxIterations: 2, body: { steps: [a, b] } },
      },
    ],
    facts: [
      started,
      stepFact('step.started', 'l#1', {}, 20),
      stepFact('iteration.started', 'l[0]#1', {}, 20),
      stepFact('step.started', 'l[0]/a#1', { input: null }, 20),
    ],
    expected: {
      l: [{ kind: 'held', of: 'iterations', total: 1, ended: 0 }],
      'l[0]': [{ kind: 'held', of: 'body', total: 2, ended: 0 }],
      'l[0]/a': [attempt],
      'l[0]/b': [{ kind: 'dependency', path: 'l[0]/a', status: 'running' }],
    },
  },
  'another run is executed alone': {
    steps: [a],
    facts: [started],
    known: { isolatedBehind: ['run_x'] },
    expected: {
      run: [{ kind: 'isolation', heldBy: [{ runId: 'run_x' }] }],
      a: [{ kind: 'isolation', heldBy: [{ runId: 'run_x' }] }],
    },
  },
  'a run that has ended has no blockers': {
    steps: [a, b],
    facts: [
      started,
      startedA,
      runFact('run.failed', { status: 'failed', failure: { ...REFUSED, retryable: false } }, 40),
    ],
    known: { isOwned: false },
    expected: { run: [] },
  },
};

it.each(Object.entries(SITUATIONS))('%s', (_, { steps, facts = [], known = {}, options = {}, expected }) => {
  const { state } = given({ name: 'x', steps }, facts, options);

  const { run, units } = blockersOf(state, { ...CALM, ...known }, { offset: 0, limit: 50 });

  const { run: ofRun = [], ...ofUnits } = expected;
  expect(Object.fromEntries(units.map(({ path, blockers }) => [path, blockers]))).toEqual(ofUnits);
  expect(run).toEqual(ofRun);
});

it('are told page by page', () => {
  const steps = Array.from({ length: 5 }, (_, n) => ({ id: `s${String(n)}`, agent: 'echo' }));
  const { state } = given({ name: 'x', steps }, [started]);
  const page = (offset: number): readonly [string[], boolean] => {
    const { units, more } = blockersOf(state, CALM, { offset, limit: 2 });
    return [units.map(({ path }) => path), more];
  };

  expect([page(0), page(2), page(4), page(9)]).toEqual([
    [['s0', 's1'], true],
    [['s2', 's3'], true],
    [['s4'], false],
    [[], false],
  ]);
});
