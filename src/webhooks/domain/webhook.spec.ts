import type { RunEvent } from '../../runs/domain/run.events.js';
import { EVENT_PATTERN, passes, type EventFilter, type RunTraits } from './webhook.js';

const place = { runId: 'run_1', seq: 3, at: '2026-01-01T00:00:00.000Z' };
const failure = { code: 'a.b', kind: 'internal', message: 'm', retryable: false } as const;
const COMPLETED: RunEvent = { ...place, type: 'run.completed', data: { output: null } };
const TIMED_OUT: RunEvent = { ...place, type: 'run.failed', data: { status: 'timed_out', failure } };
const STARTED: RunEvent = { ...place, type: 'step.started', stepId: 'a', data: { input: {} } };
const TRAITS: RunTraits = { workflowId: 'wf_1', tags: ['a', 'b'] };

it.each<readonly [EventFilter, RunEvent, RunTraits | undefined, boolean]>([
  [{}, COMPLETED, TRAITS, true],
  [{ types: ['run.completed'] }, COMPLETED, TRAITS, true],
  [{ types: ['run.failed', 'step.*'] }, STARTED, TRAITS, true],
  [{ types: ['run.failed', 'step.*'] }, COMPLETED, TRAITS, false],
  [{ types: ['run.*'] }, COMPLETED, undefined, true],
  [{ status: 'completed' }, COMPLETED, TRAITS, true],
  [{ status: 'failed' }, TIMED_OUT, TRAITS, false],
  [{ status: 'timed_out' }, TIMED_OUT, TRAITS, true],
  [{ status: 'running' }, STARTED, TRAITS, false],
  [{ workflowId: 'wf_1', tag: 'b' }, STARTED, TRAITS, true],
  [{ workflowId: 'wf_2' }, STARTED, TRAITS, false],
  [{ workflowId: 'wf_1' }, STARTED, { tags: [] }, false],
  [{ tag: 'c' }, STARTED, TRAITS, false],
  [{ tag: 'a' }, STARTED, undefined, false],
  [{ types: ['run.*'], tag: 'a', status: 'failed' }, COMPLETED, TRAITS, false],
])('%j lets %j of %j pass: %s', (filter, event, traits, isPassed) => {
  expect(passes(filter, event, traits)).toBe(isPassed);
});

it.each([
  ['run.completed', true],
  ['step.*', true],
  ['run', false],
  ['*', false],
  ['run.', false],
  ['Run.completed', false],
  ['run.a-b', true],
])('%s is a pattern of types: %s', (text, isPattern) => {
  expect(EVENT_PATTERN.test(text)).toBe(isPattern);
});
