/**
 * A webhook: an address that is told of events, and which ones.
 *
 * Decided here: its shape, and which events a filter lets through. Decided elsewhere: when a delivery is tried again
 * (attempt-plan.ts), how it is signed (signature.ts).
 */
import type { RunEvent } from '../../runs/domain/run.events.js';
import type { RunStatus } from '../../runs/domain/run.status.js';

/** Events pass that match every field; a field that is absent lets all of them pass. */
export interface EventFilter {
  /** Types of events, or `run.*` for all of a kind; at least one. */
  readonly types?: readonly string[];
  /** Of runs of this stored workflow. */
  readonly workflowId?: string;
  /** Of runs that carry this tag. */
  readonly tag?: string;
  /** Events that bring a run to this status. */
  readonly status?: RunStatus;
}

/** A webhook as it is kept. */
export interface Webhook {
  readonly id: string;
  readonly namespace: string;
  readonly url: string;
  readonly description?: string;
  readonly filter: EventFilter;
  readonly isEnabled: boolean;
  /** The secret, encrypted for `webhook/<id>`. */
  readonly sealedSecret: string;
  /** Counts changes that people made, from 1. */
  readonly version: number;
  readonly breaker: Breaker;
  /** Milliseconds since the epoch. Events from before are not its business. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What is known of an address that fails. */
export interface Breaker {
  /** Attempts that failed one after the other, whatever they were to deliver. */
  readonly failures: number;
  /** Until when nothing is sent. */
  readonly openUntil?: number;
  /** How the last attempt failed. */
  readonly reason?: string;
}

export const CLOSED: Breaker = { failures: 0 };

/** What is known of a run beside its events, and never changes. */
export interface RunTraits {
  readonly workflowId?: string;
  readonly tags: readonly string[];
}

/** The form of a filter's type. */
export const EVENT_PATTERN = /^[a-z]+\.(\*|[a-z]+(-[a-z]+)*)$/;

/** Whether a filter can be judged by events alone. */
export function needsTraits({ workflowId, tag }: EventFilter): boolean {
  return workflowId !== undefined || tag !== undefined;
}

/** Whether an event passes. @param traits of its run; undefined where the record does not have it any more */
export function passes(
  { types, workflowId, tag, status }: EventFilter,
  event: RunEvent,
  traits: RunTraits | undefined,
): boolean {
  if (types !== undefined && !types.some((type) => matchesType(type, event.type))) return false;
  if (status !== undefined && statusBroughtBy(event) !== status) return false;
  if (workflowId !== undefined && traits?.workflowId !== workflowId) return false;
  return tag === undefined || (traits?.tags.includes(tag) ?? false);
}

function matchesType(pattern: string, type: string): boolean {
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** The status that a run has after an event, for those events that are about that. */
function statusBroughtBy(event: RunEvent): RunStatus | undefined {
  switch (event.type) {
    case 'run.queued':
    case 'run.forked':
    case 'run.retried':
      return 'queued';
    case 'run.started':
    case 'run.resumed':
      return 'running';
    case 'run.waiting':
      return 'waiting';
    case 'run.paused':
      return 'paused';
    case 'run.cancelling':
      return 'cancelling';
    case 'run.completed':
      return 'completed';
    case 'run.cancelled':
      return 'cancelled';
    case 'run.failed':
      return event.data.status;
    default:
      return undefined;
  }
}
