/**
 * What becomes of the fires of a schedule, and what has to be done about it: functions of a plan and the time.
 *
 * Decided here: which instants fire, are skipped or missed; what waits; when a failure pauses. Decided elsewhere: that
 * a change is kept only if nobody else changed the schedule (schedule.store.ts), and who does the work
 * (schedule.runner.ts). Everything may be repeated: the same plan asks for the same work.
 */
import type { Failure } from '../../kernel/failure.js';
import { isTerminal, type RunStatus } from '../../runs/domain/run.status.js';
import { fireIdOf, type Fire, type FireCause } from './fire.js';
import type { NextInstant } from './next-fires.js';
import { jitterOf, type Overlap, type Pause, type Schedule } from './schedule.js';

/** A schedule with all its open fires, oldest first. */
export interface FirePlan {
  readonly schedule: Schedule;
  readonly open: readonly Fire[];
}

/** A plan after a change, and the fires that the change touched. */
export interface FireChange extends FirePlan {
  readonly fires: readonly Fire[];
}

/** What should be under way. */
export interface FireWork {
  readonly start: readonly Fire[];
  /** Runs to cancel, because a later fire takes their place. */
  readonly cancel: readonly string[];
  /** Runs whose end matters. */
  readonly follow: readonly string[];
}

/** A fire that nobody planned. */
export interface FireRequest {
  readonly cause: Exclude<FireCause, 'scheduled'>;
  readonly instants: readonly number[];
  readonly request?: string;
  readonly overlap?: 'buffer_all' | 'allow_all';
}

/** How a start ended. */
export type StartOutcome =
  | { readonly outcome: 'started'; readonly runId: string }
  | { readonly outcome: 'failed'; readonly failure: Failure };

/** How far a run has come; `gone` when the record does not have it any more. */
export type RunState = RunStatus | 'gone';

/** Fires decided in one change; the rest is decided in the next. */
export const MAX_FIRES_AT_ONCE = 100;
/** Fires that wait for a run to end. */
export const MAX_BUFFERED = 1_000;
/** A start that nobody reported is tried again after so long: whoever began it has died. */
const START_LEASE_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** A start is tried for at least so long, however short the window to catch up is. */
const MIN_TRYING_MS = 60_000;

const MISSED = 'it was later than the window to catch up allows';

/**
 * Everything that the time and the ends of runs ask for: what waited starts, a failure may pause the schedule, and due
 * instants become fires, at most `MAX_FIRES_AT_ONCE` of them; then `wakeAt` is still in the past.
 *
 * @param runs how far the runs of started fires have come
 */
export function lookAt(
  plan: FirePlan,
  { runs, next, now }: { runs: ReadonlyMap<string, RunState>; next: NextInstant; now: number },
): FireChange {
  const draft = new Draft(plan);
  for (const fire of plan.open) draft.noteEnd(fire, runs.get(fire.runId ?? ''), now);
  draft.startWaiting(now);
  for (let count = 0; count < MAX_FIRES_AT_ONCE; count += 1) {
    const at = draft.dueInstant(now);
    if (at === undefined) break;
    draft.fire(fireOf(draft.schedule, { cause: 'scheduled', scheduledAt: at }, now));
    draft.moveTo(next(at), at);
  }
  draft.passOver(next, now);
  return draft.settled(now);
}

/** The same plan with a person's request in it. Instants that have a fire of that cause already are the caller's to leave out. */
export function fireRequested(plan: FirePlan, request: FireRequest, now: number): FireChange {
  const draft = new Draft(plan);
  for (const scheduledAt of request.instants) {
    const fire = fireOf(draft.schedule, { ...request, scheduledAt }, now);
    draft.admit(request.overlap === undefined ? fire : { ...fire, overlap: request.overlap });
  }
  return draft.settled(now);
}

/** A schedule that fires no more until it is resumed. */
export function pause(schedule: Schedule, paused: Pause): Schedule {
  const { nextAt: _, ...rest } = schedule;
  return { ...rest, paused };
}

/** A schedule that fires from the first instant after now on that was not decided yet: paused ones stay paused. */
export function aim(schedule: Schedule, next: NextInstant, now: number): Schedule {
  const { nextAt: _, ...rest } = schedule;
  const nextAt = schedule.paused === undefined ? next(Math.max(now, schedule.lastAt ?? now)) : undefined;
  return { ...rest, ...(nextAt !== undefined && { nextAt }) };
}

/** The plan as it is, with what waits started where it may, and the time of the next look. */
export function settle(plan: FirePlan, now: number): FireChange {
  return new Draft(plan).settled(now);
}

/** The plan once starts have ended, by the ids of their fires. Fires that are not being started any more stay as they are. */
export function noteStarts(
  plan: FirePlan,
  outcomes: ReadonlyMap<string, StartOutcome>,
  now: number,
): FireChange {
  const draft = new Draft(plan);
  for (const fire of plan.open) {
    const outcome = fire.outcome === 'starting' ? outcomes.get(fire.id) : undefined;
    if (outcome !== undefined) draft.noteStart(fire, outcome, now);
  }
  return draft.settled(now);
}

/** What should be under way now. */
export function workOf({ schedule, open }: FirePlan, now: number): FireWork {
  const started = open.filter(({ outcome }) => outcome === 'started');
  const isReplaced = open.some(
    (fire) => fire.outcome === 'buffered' && overlapOf(schedule, fire) === 'cancel_other',
  );
  const runIds = started.map(({ runId = '' }) => runId);
  return {
    start: open.filter(({ outcome, retryAt = 0 }) => outcome === 'starting' && retryAt <= now),
    cancel: isReplaced ? runIds : [],
    follow: runIds,
  };
}

/** A plan while it is changed. */
class Draft {
  private readonly touched = new Map<string, Fire>();
  private readonly fires: Map<string, Fire>;
  schedule: Schedule;

  constructor({ schedule, open }: FirePlan) {
    this.schedule = schedule;
    this.fires = new Map(open.map((fire) => [fire.id, fire]));
  }

  /** The next instant, if its time has come. */
  dueInstant(now: number): number | undefined {
    const { paused, nextAt } = this.schedule;
    if (paused !== undefined || nextAt === undefined) return undefined;
    return nextAt + jitterOf(this.schedule, nextAt) <= now ? nextAt : undefined;
  }

  /** Instants up to `lastAt` are decided. */
  moveTo(nextAt: number | undefined, lastAt: number): void {
    const { nextAt: _, ...rest } = this.schedule;
    this.schedule = { ...rest, lastAt, ...(nextAt !== undefined && { nextAt }) };
  }

  /** A scheduled fire that may be too late. */
  fire(fire: Fire): void {
    const dueAt = fire.scheduledAt + jitterOf(this.schedule, fire.scheduledAt);
    if (fire.firedAt - dueAt <= this.schedule.policy.catchUpWindowMs) this.admit(fire);
    else this.put({ ...fire, outcome: 'missed', isOpen: false, reason: MISSED });
  }

  /** Where so many were missed that not each is kept, one record stands for the others up to the window's beginning. */
  passOver(next: NextInstant, now: number): void {
    const at = this.dueInstant(now);
    const { catchUpWindowMs, jitterMs } = this.schedule.policy;
    const untilAt = now - catchUpWindowMs - jitterMs - 1;
    if (at === undefined || at >= untilAt) return;
    const fire = fireOf(this.schedule, { cause: 'scheduled', scheduledAt: at }, now);
    this.put({ ...fire, untilAt, outcome: 'missed', isOpen: false, reason: MISSED });
    this.moveTo(next(untilAt), untilAt);
  }

  /** A fire that is to start, to wait or to be skipped, as the overlap says. */
  admit(fire: Fire): void {
    const overlap = overlapOf(this.schedule, fire);
    const others = [...this.fires.values()].filter((other) => other.isOpen && blocks(this.schedule, other));
    if (overlap === 'allow_all' || others.length === 0) {
      this.put({ ...fire, outcome: 'starting' });
      return;
    }
    const waiting = others.filter(({ outcome }) => outcome === 'buffered');
    switch (overlap) {
      case 'skip': {
        this.skip(fire, 'a run of this schedule had not ended');
        return;
      }
      case 'buffer_one':
        if (waiting.length > 0) {
          this.skip(fire, 'another fire was waiting already');
          return;
        }
        break;
      case 'buffer_all':
        if (waiting.length >= MAX_BUFFERED) {
          this.skip(fire, `${MAX_BUFFERED} fires were waiting already`);
          return;
        }
        break;
      case 'cancel_other':
        for (const other of waiting) this.skip(other, 'a later fire took its place');
        break;
    }
    this.put({ ...fire, outcome: 'buffered' });
  }

  noteEnd(fire: Fire, run: RunState | undefined, now: number): void {
    if (fire.outcome !== 'started' || run === undefined) return;
    if (run === 'gone') {
      this.put({ ...fire, isOpen: false });
      return;
    }
    if (!isTerminal(run)) return;
    this.put({ ...fire, isOpen: false, runStatus: run });
    if (run === 'failed') this.fail(`run ${fire.runId ?? ''} failed`, now);
    if (run === 'timed_out') this.fail(`run ${fire.runId ?? ''} timed out`, now);
  }

  noteStart(fire: Fire, outcome: StartOutcome, now: number): void {
    const { retryAt: _, ...rest } = fire;
    if (outcome.outcome === 'started') {
      const isOpen = this.schedule.policy.pauseOnFailure || blocks(this.schedule, fire);
      this.put({ ...rest, outcome: 'started', runId: outcome.runId, isOpen });
      return;
    }
    const { failure } = outcome;
    if (mayTryAgain(this.schedule, fire, failure, now)) {
      const tries = (fire.tries ?? 0) + 1;
      const delay = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_RETRY_MS);
      this.put({ ...rest, tries, retryAt: now + Math.max(delay, failure.retryAfterMs ?? 0) });
      return;
    }
    this.put({ ...rest, outcome: 'failed', failure, isOpen: false });
    this.fail(`a run could not be started: ${failure.message}`, now);
  }

  put(fire: Fire): void {
    this.fires.set(fire.id, fire);
    this.touched.set(fire.id, fire);
  }

  /** Pauses the schedule where failures do. */
  fail(note: string, now: number): void {
    if (!this.schedule.policy.pauseOnFailure || this.schedule.paused !== undefined) return;
    this.schedule = pause(this.schedule, { at: now, note });
  }

  /** The plan with what waits started where nothing is in its way, and the time of the next look. */
  settled(now: number): FireChange {
    this.startWaiting(now);
    const open = [...this.fires.values()].filter(({ isOpen }) => isOpen);
    return { schedule: withWake(this.schedule, open, now), open, fires: [...this.touched.values()] };
  }

  /** The first that waits, where nothing is in its way; while the schedule is paused, only what a person asked for. */
  startWaiting(now: number): void {
    const open = [...this.fires.values()].filter(({ isOpen }) => isOpen);
    if (open.some((fire) => fire.outcome !== 'buffered' && blocks(this.schedule, fire))) return;
    const isPaused = this.schedule.paused !== undefined;
    const first = open.find(
      ({ outcome, cause }) => outcome === 'buffered' && !(isPaused && cause === 'scheduled'),
    );
    if (first !== undefined) this.put({ ...first, outcome: 'starting', firedAt: now });
  }

  private skip(fire: Fire, reason: string): void {
    this.put({ ...fire, outcome: 'skipped', isOpen: false, reason });
  }
}

function fireOf(
  { id: scheduleId }: Schedule,
  given: { readonly cause: FireCause; readonly scheduledAt: number; readonly request?: string },
  firedAt: number,
): Fire {
  const { cause, scheduledAt } = given;
  const id = fireIdOf(scheduleId, given);
  return { ...{ id, scheduleId, cause, scheduledAt, firedAt }, outcome: 'starting', isOpen: true };
}

function overlapOf({ policy }: Schedule, { overlap }: Fire): Overlap {
  return overlap ?? policy.overlap;
}

/** Whether others wait for a fire: one that overlaps with anything is in nobody's way. */
function blocks(schedule: Schedule, fire: Fire): boolean {
  return overlapOf(schedule, fire) !== 'allow_all';
}

function mayTryAgain({ policy }: Schedule, { firedAt }: Fire, { retryable }: Failure, now: number): boolean {
  return retryable && now - firedAt < Math.max(policy.catchUpWindowMs, MIN_TRYING_MS);
}

function withWake(schedule: Schedule, open: readonly Fire[], now: number): Schedule {
  const { wakeAt: _, ...rest } = schedule;
  const { paused, nextAt } = schedule;
  const starts = open.flatMap(({ outcome, retryAt }) =>
    outcome === 'starting' ? [retryAt ?? now + START_LEASE_MS] : [],
  );
  const fires = paused === undefined && nextAt !== undefined ? [nextAt + jitterOf(schedule, nextAt)] : [];
  const wakeAt = Math.min(...starts, ...fires);
  return Number.isFinite(wakeAt) ? { ...rest, wakeAt } : rest;
}
