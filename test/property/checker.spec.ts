/** The checker tells of each invariant when a record was doctored against it, and of none when it was not. */
import { checkEvidence } from '../support/invariants/check-evidence.js';
import type { CallEvidence, Evidence, RunEvidence } from '../support/invariants/evidence.js';
import { RUN_ID, SimulatedRun } from '../support/simulated-run.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';

const DEFINITION = {
  retry: { maxAttempts: 2, initialIntervalMs: 100, jitter: 'none' },
  steps: [
    { id: 'a', agent: 'scripted', writes: { 'ended.count': 1 } },
    { id: 'b', agent: 'scripted', dependsOn: ['a'] },
    { id: 'c', agent: 'scripted', dependsOn: ['b'], when: 'false' },
  ],
  contextReducers: { 'ended.count': 'sum' },
};

const failure = { code: 'agent.overloaded', kind: 'upstream', message: 'no room', retryable: true } as const;

/** A run that completes; `b` fails once before. */
function finished(): SimulatedRun {
  const run = SimulatedRun.of(DEFINITION, { maxParallelSteps: 1 });
  run.takeUp();
  run.finish((path, failures) => (path === 'b' && failures === 0 ? { failure } : { output: path }));
  return run;
}

const run = finished();
const appendIds = run.appends.flatMap((events, index) => events.map(() => String(index)));
const honest: RunEvidence = {
  runId: RUN_ID,
  events: run.events,
  appends: appendIds,
  row: { status: 'completed', lastSeq: run.events.length },
};
const calls: readonly CallEvidence[] = run.events
  .filter(({ type }) => type === 'step.started')
  .map(({ stepId = '', attempt = 0, at }) => ({
    runId: RUN_ID,
    path: stepId,
    attempt,
    key: `${RUN_ID}:${stepId}:0`,
    at: Date.parse(at),
    endedAt: Date.parse(at) + 1,
    answer: JSON.stringify(stepId),
    limit: 'scripted',
  }));
const evidence: Evidence = {
  runs: [honest],
  accepted: [{ runId: RUN_ID, key: 'k' }],
  keyed: new Map([['k', RUN_ID]]),
  calls,
  captures: [{ runId: RUN_ID, from: 'socket', afterSeq: 2, events: run.events.slice(2), isWhole: true }],
  limits: [{ name: 'scripted', max: 1 }],
  baselines: [{ what: 'leases', before: 1, after: 1 }],
  troubles: [],
  isOver: true,
};

function invariantsOf(doctored: Partial<Evidence>): readonly string[] {
  const violations = checkEvidence({ ...evidence, ...doctored }, () => run.graph);
  return [...new Set(violations.map(({ invariant }) => invariant))].toSorted();
}

function withRun(change: Partial<RunEvidence>): Partial<Evidence> {
  return { runs: [{ ...honest, ...change }], captures: [] };
}

/** The log with some events left out, or changed; numbered anew, so that nothing else is wrong. */
function log(change: (event: RunEvent) => readonly unknown[]): Partial<Evidence> {
  const events = run.events.flatMap((event) => change(event) as RunEvent[]);
  const renumbered = events.map((event, index) => ({ ...event, seq: index + 1 }));
  const row = { status: 'completed', lastSeq: renumbered.length };
  return { runs: [{ runId: RUN_ID, events: renumbered, row }], captures: [] };
}

function isOf({ type, stepId }: RunEvent, line: string): boolean {
  return `${type} ${stepId ?? ''}`.trim() === line;
}

it('says nothing of an honest record', () => {
  expect(run.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['step.retrying', 'step.skipped']),
  );
  expect(invariantsOf({})).toEqual([]);
});

it.each<readonly [string, string, Partial<Evidence>]>([
  ['I1', 'a run that a caller was told of is gone', { accepted: [{ runId: 'run_gone' }] }],
  ['I2', 'a run that nobody was told of', { accepted: [], keyed: new Map() }],
  ['I3', 'a run that has not ended', log((event) => (isOf(event, 'run.completed') ? [] : [event]))],
  ['I4', 'a second result', log((event) => (isOf(event, 'step.completed a') ? [event, event] : [event]))],
  [
    'I4',
    'a write without its completion',
    withRun({ appends: appendIds.map((id, index) => `${id}.${String(index)}`) }),
  ],
  [
    'I5',
    'a step that begins before its dependency has ended',
    log((event) =>
      isOf(event, 'step.started a') ? [event, { ...event, stepId: 'c', path: undefined }] : [event],
    ),
  ],
  [
    'I5',
    'a step that is skipped though its join holds',
    log((event) =>
      isOf(event, 'step.skipped c') ? [{ ...event, data: { reason: 'dependencies-failed' } }] : [event],
    ),
  ],
  ['I6', 'a gap', withRun({ events: run.events.filter(({ seq }) => seq !== 3) })],
  ['I6', 'a number that the record does not keep it under', withRun({ numbers: run.events.map(() => 1) })],
  [
    'I6',
    'a capture that lacks an event',
    {
      captures: [
        { runId: RUN_ID, from: 'sse', afterSeq: 0, events: run.events.toSpliced(3, 1), isWhole: true },
      ],
    },
  ],
  [
    'I7',
    'more calls at once than a limit allows',
    { calls: calls.map((call) => ({ ...call, endedAt: call.at + 10_000 })) },
  ],
  [
    'I8',
    'a call that no attempt is recorded of',
    { calls: [...calls, { ...(calls[0] as CallEvidence), attempt: 9 }] },
  ],
  [
    'I8',
    'a call under another key',
    { calls: [...calls.slice(1), { ...(calls[1] as CallEvidence), attempt: 2, key: 'x' }] },
  ],
  [
    'I9',
    'a step that is given up too early',
    log((event) =>
      isOf(event, 'step.retrying b')
        ? [{ ...event, type: 'step.failed', data: { failure, handled: true } }]
        : [event],
    ),
  ],
  [
    'I9',
    'a back-off that is cut short',
    log((event) =>
      isOf(event, 'step.retrying b')
        ? [{ ...event, data: { failure, delayMs: 60_000, retryAt: event.at } }]
        : [event],
    ),
  ],
  ['I10', 'an output that nobody gave', { calls: calls.map((call) => ({ ...call, answer: '"other"' })) }],
  [
    'I11',
    'an event after the end',
    log((event) =>
      isOf(event, 'run.completed') ? [event, { ...event, type: 'run.paused', data: {} }] : [event],
    ),
  ],
  [
    'I11',
    'a call after the end',
    { calls: calls.map((call) => ({ ...call, at: call.at + 3_600_000, endedAt: 0 })) },
  ],
  ['I12', 'a lease that is left', { baselines: [{ what: 'leases', before: 1, after: 2 }] }],
  [
    'I12',
    'an owner of a run that has ended',
    withRun({ row: { status: 'completed', lastSeq: run.events.length, ownerId: 'own_x' } }),
  ],
  ['I13', 'a process that died by itself', { troubles: ['worker 1 exited with 134'] }],
])('tells by %s of %s', (invariant, _, doctored) => {
  expect(invariantsOf(doctored)).toContain(invariant);
});
