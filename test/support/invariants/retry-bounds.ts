/** I9: a unit is tried as often as its policy allows, neither more often nor less, and no sooner than its back-off. */
import type { Failure } from '../../../src/kernel/failure.js';
import type { RunEvent, RunEventOf } from '../../../src/runs/domain/run.events.js';
import type { RunEvidence, Violation } from './evidence.js';
import type { StepIndex } from './step-index.js';
import { unitEvents, type PlacedEvent } from './unit-history.js';

/** What of a back-off may be missing: clocks tick in whole milliseconds. */
const TOLERANCE = 0.05;

/** Kinds of failures that no policy tries again. */
const HOPELESS: ReadonlySet<string> = new Set([
  'invalid',
  'unprocessable',
  'unauthenticated',
  'forbidden',
  'too-large',
  'not-found',
]);

/** What is known of a unit so far. */
interface Tries {
  failures: number;
  attempts: number;
  /** Whether an attempt or a wait is open. */
  isOpen: boolean;
  retry?: { readonly at: number; readonly delayMs: number };
  /** When the timer that it waits for is over. */
  timerUntil?: number;
}

export function checkRetries(run: RunEvidence, index: StepIndex): readonly Violation[] {
  const byPath = new Map<string, Tries>();
  return unitEvents(run.events).flatMap((placed) => {
    const tries = byPath.get(placed.path) ?? { failures: 0, attempts: 0, isOpen: false };
    byPath.set(placed.path, tries);
    const problems = index.at(placed.path).isLeaf ? problemsOf(run, index, { placed, tries }) : [];
    note(tries, placed);
    return problems.map((message): Violation => ({
      invariant: 'I9',
      runId: run.runId,
      path: placed.path,
      message,
    }));
  });
}

interface Look {
  readonly placed: PlacedEvent;
  readonly tries: Tries;
}

function problemsOf(run: RunEvidence, index: StepIndex, look: Look): readonly string[] {
  const { placed, tries } = look;
  switch (placed.name) {
    case 'started':
      return [...problemsOfNumber(placed.event, tries), ...problemsOfGap(run, look)];
    case 'completed':
      return problemsOfWait(run, look);
    case 'retrying':
    case 'failed':
      return problemsOfCount(index, look);
    default:
      return [];
  }
}

function problemsOfNumber({ attempt }: RunEvent, { attempts }: Tries): readonly string[] {
  return attempt === attempts + 1 ? [] : [`attempt ${String(attempt)} begins after ${attempts}`];
}

/** From the failure, which its event dates, to the time at which the record was told of the next attempt. */
function problemsOfGap({ writtenAt }: RunEvidence, { placed, tries }: Look): readonly string[] {
  if (tries.retry === undefined) return [];
  const { at, delayMs } = tries.retry;
  const gapMs = timeOf(placed, writtenAt) - at;
  if (gapMs >= delayMs * (1 - TOLERANCE) - 1) return [];
  return [`tried again after ${gapMs} ms, the back-off is ${delayMs} ms`];
}

/** A timer is not over before its time. */
function problemsOfWait({ writtenAt }: RunEvidence, { placed, tries }: Look): readonly string[] {
  const earlyMs = (tries.timerUntil ?? -Infinity) - timeOf(placed, writtenAt);
  return earlyMs > 1 ? [`its timer was over ${earlyMs} ms too early`] : [];
}

/** By the clock of whoever kept the record, where there is one. */
function timeOf({ event, index }: PlacedEvent, writtenAt: readonly number[] | undefined): number {
  return writtenAt?.[index] ?? Date.parse(event.at);
}

function problemsOfCount(index: StepIndex, { placed, tries }: Look): readonly string[] {
  const { step } = index.at(placed.path);
  const { maxAttempts, nonRetryableErrors } = step.retry;
  const { failure } = (placed.event as RunEventOf<'step.failed'>).data;
  const count = tries.failures + 1;
  if (placed.name === 'retrying')
    return count < maxAttempts ? [] : [`tried again after ${count} failures, ${maxAttempts} are allowed`];
  if (tries.attempts === 0 || !tries.isOpen || step.totalTimeoutMs !== undefined) return [];
  const mayBeTriedAgain = isHopeful(failure) && !nonRetryableErrors.includes(failure.code);
  return mayBeTriedAgain && count < maxAttempts
    ? [`given up after ${count} failures, ${maxAttempts} are allowed`]
    : [];
}

function isHopeful({ retryable, kind }: Failure): boolean {
  return retryable && !HOPELESS.has(kind);
}

function note(tries: Tries, { event, name }: PlacedEvent): void {
  tries.isOpen = name === 'started' || name === 'waiting';
  delete tries.timerUntil;
  switch (name) {
    case 'started':
      tries.attempts = event.attempt ?? tries.attempts + 1;
      delete tries.retry;
      break;
    case 'retrying':
      tries.failures += 1;
      tries.retry = {
        at: Date.parse(event.at),
        delayMs: (event as RunEventOf<'step.retrying'>).data.delayMs,
      };
      break;
    case 'waiting': {
      const { for: reason, until } = (event as RunEventOf<'step.waiting'>).data;
      if (reason === 'timer' && until !== undefined) tries.timerUntil = Date.parse(until);
      break;
    }
    default:
      break;
  }
}
