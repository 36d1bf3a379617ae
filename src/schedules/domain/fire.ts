/**
 * A fire: one instant of a schedule, or one request beside them, and what became of it.
 *
 * The id is the schedule, the instant and the cause: the record takes each once, so an instant fires once whoever
 * computes it, and however often.
 */
import type { Failure } from '../../kernel/failure.js';
import type { RunStatus } from '../../runs/domain/run.status.js';

/** Why it fires: its instant came, a person asked for a run now, or for the runs of a time gone by. */
export type FireCause = 'scheduled' | 'triggered' | 'backfilled';

/**
 * `buffered`: waits for the run before it. `starting`: its run is being started. `started`: it has a run. `skipped`:
 * on purpose, `reason` says which. `missed`: it was too late. `failed`: its run could not be started.
 */
export type FireOutcome = 'buffered' | 'starting' | 'started' | 'skipped' | 'missed' | 'failed';

export interface Fire {
  readonly id: string;
  readonly scheduleId: string;
  readonly cause: FireCause;
  /** The instant that it stands for; for a trigger, the time at which it was asked for. */
  readonly scheduledAt: number;
  /** The last of all instants that it stands for, where too many were missed to keep each. */
  readonly untilAt?: number;
  /** When it was looked at in fact. */
  readonly firedAt: number;
  readonly outcome: FireOutcome;
  /** Whether anything may still happen to it: it waits, or its run has not ended and that matters. */
  readonly isOpen: boolean;
  readonly reason?: string;
  readonly failure?: Failure;
  readonly runId?: string;
  /** How its run ended; known only where that matters to the schedule. */
  readonly runStatus?: RunStatus;
  /** How often its start was tried in vain, and when it is tried again. */
  readonly tries?: number;
  readonly retryAt?: number;
  /** Treated by this instead of the schedule's overlap. */
  readonly overlap?: 'buffer_all' | 'allow_all';
}

/** The id of the fire of an instant. @param request tells triggers of the same millisecond apart */
export function fireIdOf(
  scheduleId: string,
  { cause, scheduledAt, request = '' }: { cause: FireCause; scheduledAt: number; request?: string },
): string {
  return `${scheduleId}:${scheduledAt}:${cause}${request === '' ? '' : `:${request}`}`;
}
