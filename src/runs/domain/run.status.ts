/**
 * The statuses of run, step and attempt, and the transitions between them, as data.
 *
 * Decided here: which transition exists. Decided elsewhere: which event makes it (evolve.ts). A test walks these
 * tables for reachability, and docs/architecture.md draws them.
 */

export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'paused',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
  'timed_out',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const STEP_STATUSES = [
  'pending',
  'ready',
  'running',
  'waiting',
  'retrying',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export type AttemptStatus = 'running' | 'completed' | 'failed' | 'timed_out' | 'interrupted' | 'cancelled';

/** From a status to those that may follow it. A terminal status leads on only through `run.retried`. */
export const RUN_TRANSITIONS: { readonly [S in RunStatus]: readonly RunStatus[] } = {
  queued: ['running', 'paused', 'cancelling', 'cancelled', 'failed'],
  running: ['waiting', 'paused', 'cancelling', 'completed', 'failed', 'timed_out'],
  waiting: ['running', 'paused', 'cancelling', 'completed', 'failed', 'timed_out'],
  paused: ['queued', 'running', 'cancelling', 'failed'],
  cancelling: ['cancelled', 'failed', 'timed_out'],
  completed: [],
  failed: ['queued'],
  cancelled: ['queued'],
  timed_out: ['queued'],
};

export const STEP_TRANSITIONS: { readonly [S in StepStatus]: readonly StepStatus[] } = {
  pending: ['ready', 'skipped', 'cancelled'],
  ready: ['running', 'waiting', 'completed', 'skipped', 'failed', 'cancelled', 'pending'],
  running: ['waiting', 'retrying', 'ready', 'completed', 'failed', 'cancelled', 'pending'],
  waiting: ['running', 'retrying', 'completed', 'failed', 'cancelled'],
  retrying: ['running', 'failed', 'cancelled', 'pending', 'ready'],
  completed: ['pending', 'ready'],
  failed: ['pending', 'ready'],
  skipped: ['pending', 'ready'],
  cancelled: ['pending', 'ready'],
};

export const ATTEMPT_TRANSITIONS: { readonly [S in AttemptStatus]: readonly AttemptStatus[] } = {
  running: ['completed', 'failed', 'timed_out', 'interrupted', 'cancelled'],
  completed: [],
  failed: [],
  timed_out: [],
  interrupted: [],
  cancelled: [],
};

const TERMINAL: ReadonlySet<RunStatus> = new Set(['completed', 'failed', 'cancelled', 'timed_out']);

const SETTLED: ReadonlySet<StepStatus> = new Set(['completed', 'failed', 'skipped', 'cancelled']);

/** True when the step has ended, however. */
export function isSettled(status: StepStatus): boolean {
  return SETTLED.has(status);
}

/** True when the run has ended. */
export function isTerminal(status: RunStatus): boolean {
  return TERMINAL.has(status);
}
