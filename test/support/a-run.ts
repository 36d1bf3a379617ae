/** Rows and events of runs with defaults: a test names only what it is about. */
import { v7 } from 'uuid';

import { makeId } from '../../src/kernel/ids.js';
import type { Json } from '../../src/kernel/json.js';
import { isoOf } from '../../src/kernel/time.js';
import {
  encodeEvent,
  type EncodedEvent,
  type RunEvent,
  type RunEventMap,
  type RunEventType,
} from '../../src/runs/domain/run.events.js';
import type { RunSummary } from '../../src/runs/domain/summary.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import type { Append, NewRun } from '../../src/runs/run.store.js';

/** Before the time of any clock in a test, so a run is due as soon as it exists. */
export const CREATED_AT = 1_700_000_000_000;

/** A fresh id of a run, greater than those made before. */
export function aRunId(): string {
  return makeId('run', v7());
}

/** Event `seq` of a run: by default the start of a step with its number as input. */
export function anEvent(runId: string, seq: number, input: Json = { n: seq }): EncodedEvent {
  return anEventOf(runId, seq, 'step.started', { input });
}

/** Event `seq` of a run, of any type. */
export function anEventOf<T extends RunEventType>(
  runId: string,
  seq: number,
  type: T,
  data: RunEventMap[T],
): EncodedEvent {
  return encodeEvent({ runId, seq, type, at: isoOf(CREATED_AT + seq), data } as RunEvent);
}

/** `count` events of a run, numbered from `first`. */
export function someEvents(runId: string, first: number, count: number): readonly EncodedEvent[] {
  return Array.from({ length: count }, (_, index) => anEvent(runId, first + index));
}

const NOTHING_DONE: RunSummary = {
  status: 'queued',
  stepsTotal: 1,
  stepsCompleted: 0,
  stepsFailed: 0,
  stepsSkipped: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicros: 0,
};

/** The summary of a run that was queued and is due. */
export function aSummary(fields: Partial<RunSummary> = {}): RunSummary {
  return { ...NOTHING_DONE, wakeAt: CREATED_AT, ...fields };
}

/** The summary of a run for which nothing is due. */
export function anIdleSummary(fields: Partial<RunSummary> = {}): RunSummary {
  return { ...NOTHING_DONE, ...fields };
}

/** A queued run with one event. */
export function aRun(fields: Partial<NewRun> = {}): NewRun {
  const id = fields.id ?? aRunId();
  return {
    id,
    namespace: 'default',
    priority: 50,
    tags: [],
    createdAt: CREATED_AT,
    summary: aSummary(),
    events: [anEvent(id, 1)],
    appendId: makeId('apd', v7()),
    ...fields,
  };
}

/** One event after the first, appended by the holder of a claim. */
export function anAppend(claim: Claim, fields: Partial<Append> & { readonly count?: number } = {}): Append {
  const { count = 1, ...rest } = fields;
  const expectedSeq = fields.expectedSeq ?? 1;
  return {
    claim,
    namespace: 'default',
    expectedSeq,
    appendId: makeId('apd', v7()),
    events: someEvents(claim.runId, expectedSeq + 1, count),
    summary: aSummary({ status: 'running' }),
    consumedInbox: [],
    ...rest,
  };
}
