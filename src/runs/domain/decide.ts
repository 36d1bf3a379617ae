/**
 * What a command leads to: `decide(state, command) → events`, or the failure that refuses it.
 *
 * Decided here: every transition of run, step and attempt. Decided elsewhere: what the events mean (evolve.ts), what
 * should happen next (plan.ts), the values of expressions (the shell evaluates them and puts them on the command).
 * A report about an attempt that is not open, or about a run that has ended, leads to nothing: late and doubled
 * reports change nothing.
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import { nextRetryDelay } from './retry.js';
import type { RunCommand } from './run.commands.js';
import { runErrors } from './run.errors.js';
import { spentOf, type RunEvent, type RunEventMap, type RunEventType, type Spent } from './run.events.js';
import { findStep, runDeadline, type RunState, type StepState } from './run.state.js';
import { isTerminal } from './run.status.js';

/** How long a cancelled run waits for its attempts to end, in milliseconds. */
export const CANCEL_GRACE_MS = 5_000;

type CommandOf<T extends RunCommand['type']> = Extract<RunCommand, { readonly type: T }>;

/** Decides a command. Pure and total; the state is read, never changed. */
export function decide(state: RunState, command: RunCommand): Result<readonly RunEvent[]> {
  const draft = new Draft(state, command.at);
  switch (command.type) {
    case 'pause':
    case 'resume':
    case 'cancel':
      return decideControl(draft, command);
    default:
      if (!isTerminal(state.status)) decideProgress(draft, command);
      return ok(draft.events);
  }
}

type ControlType = 'pause' | 'resume' | 'cancel';
type ProgressType = Exclude<RunCommand['type'], ControlType>;

/** What each command leads to in a run that has not ended. */
const PROGRESS: { readonly [T in ProgressType]: (draft: Draft, command: CommandOf<T>) => void } = {
  begin: (draft) => {
    if (draft.state.status === 'queued') draft.run('run.started', {});
  },
  recover: (draft, { epoch }) => {
    interruptAll(draft, 'owner-lost', epoch);
  },
  'hand-back': (draft, { epoch }) => {
    interruptAll(draft, 'handed-back', epoch);
  },
  resolve,
  restart,
  complete,
  fail: failAttempt,
  aborted,
  'record-turn': recordTurn,
  conclude: (draft) => {
    if (draft.state.fatal !== undefined) failRun(draft, draft.state.fatal);
  },
  finish: (draft, { output }) => {
    if (draft.state.status === 'running') draft.run('run.completed', { output });
  },
  'finish-failed': (draft, { failure }) => {
    if (draft.state.status === 'running') failRun(draft, failure);
  },
  'finish-cancelled': (draft) => {
    if (draft.state.status === 'cancelling') cancelled(draft);
  },
  tick,
};

function decideProgress(draft: Draft, command: CommandOf<ProgressType>): void {
  const decideOne: (draft: Draft, command: never) => void = PROGRESS[command.type];
  decideOne(draft, command as never);
}

/** Collects the events of one decision, numbered from the state's next sequence number. */
class Draft {
  readonly events: RunEvent[] = [];
  private readonly at: string;

  constructor(
    readonly state: RunState,
    readonly now: number,
  ) {
    this.at = isoOf(now);
  }

  run<T extends RunEventType>(type: T, data: RunEventMap[T]): void {
    const { runId } = this.state;
    this.events.push({ runId, seq: this.nextSeq(), type, at: this.at, data } as RunEvent);
  }

  step<T extends RunEventType>(type: T, step: StepState, data: RunEventMap[T], attempt = step.attempt): void {
    const { runId, graph } = this.state;
    const stepId = graph.steps[step.index]?.id ?? '';
    const base = { runId, seq: this.nextSeq(), type, at: this.at, stepId };
    this.events.push((attempt > 0 ? { ...base, attempt, data } : { ...base, data }) as RunEvent);
  }

  private nextSeq(): number {
    return this.state.lastSeq + 1 + this.events.length;
  }
}

function decideControl(draft: Draft, command: CommandOf<ControlType>): Result<readonly RunEvent[]> {
  const { status } = draft.state;
  const by = command.by === undefined ? {} : { by: command.by };
  if (command.type === 'cancel') {
    if (!isTerminal(status) && status !== 'cancelling') {
      draft.run('run.cancelling', { ...by, ...reasonOf(command), graceMs: CANCEL_GRACE_MS });
    }
    return ok(draft.events);
  }
  if (isTerminal(status) || status === 'cancelling') return fail(notActive(draft.state, command.type));
  if (command.type === 'pause' && status !== 'paused')
    draft.run('run.paused', { ...by, ...reasonOf(command) });
  if (command.type === 'resume' && status === 'paused') draft.run('run.resumed', by);
  return ok(draft.events);
}

function notActive(state: RunState, verb: string): Failure {
  return failureOf(runErrors['run.not-active'], `run ${state.runId} is ${state.status}: it can not ${verb}`, {
    details: { status: state.status },
  });
}

function reasonOf({ reason }: { readonly reason?: string }): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function interruptAll(draft: Draft, cause: 'owner-lost' | 'handed-back', epoch: number): void {
  for (const step of openSteps(draft.state)) draft.step('step.interrupted', step, { cause, epoch });
}

function resolve(draft: Draft, { stepId, resolution }: CommandOf<'resolve'>): void {
  const { state } = draft;
  const step = findStep(state, stepId);
  if (step?.status !== 'ready' || state.status !== 'running') return;
  switch (resolution.kind) {
    case 'start':
      draft.step('step.started', step, { input: resolution.input }, step.attempt + 1);
      break;
    case 'skip':
      draft.step('step.skipped', step, { reason: resolution.reason });
      break;
    case 'fail':
      failStep(draft, step, resolution.failure, {});
      break;
  }
}

function restart(draft: Draft, { stepId }: CommandOf<'restart'>): void {
  const { state, now } = draft;
  const step = findStep(state, stepId);
  if (step?.input === undefined || state.status !== 'running') return;
  const isDue = step.status === 'retrying' && (step.retryAt ?? 0) <= now;
  if (step.status !== 'ready' && !isDue) return;
  draft.step('step.started', step, { input: step.input }, step.attempt + 1);
}

function complete(draft: Draft, command: CommandOf<'complete'>): void {
  const step = openStep(draft.state, command);
  if (step === undefined) return;
  const { output, artifacts } = command;
  const made = artifacts === undefined ? {} : { artifacts };
  draft.step('step.completed', step, { output, ...made, ...spentOf(command) });
}

function failAttempt(draft: Draft, command: CommandOf<'fail'>): void {
  const { state } = draft;
  const step = openStep(state, command);
  if (step === undefined) return;
  if (state.status === 'cancelling') {
    draft.step('step.cancelled', step, { reason: 'run-cancelled' });
    return;
  }
  const delayMs = retryDelay(draft, step, command);
  if (delayMs === undefined) {
    failStep(draft, step, command.failure, spentOf(command));
    return;
  }
  const retryAt = isoOf(draft.now + delayMs);
  draft.step('step.retrying', step, { failure: command.failure, retryAt, delayMs, ...spentOf(command) });
}

function retryDelay(
  draft: Draft,
  step: StepState,
  { failure, random }: CommandOf<'fail'>,
): number | undefined {
  const compiled = draft.state.graph.steps[step.index];
  if (compiled === undefined) return undefined;
  const { retry: policy } = compiled;
  const delayMs = nextRetryDelay({ policy, failure, failures: step.failures + 1, random });
  if (delayMs === undefined || compiled.totalTimeoutMs === undefined) return delayMs;
  const endsAt = (step.firstStartedAt ?? draft.now) + compiled.totalTimeoutMs;
  return draft.now + delayMs < endsAt ? delayMs : undefined;
}

/** Ends a step as failed. Where the definition does not handle that, the run is concluded next (plan.ts). */
function failStep(draft: Draft, step: StepState, failure: Failure, spent: Spent): void {
  const handled = draft.state.graph.steps[step.index]?.onError === 'continue';
  draft.step('step.failed', step, { failure, handled, ...spent });
}

/** Ends the run as failed at once; attempts still open are cancelled and aborted. */
function failRun(draft: Draft, failure: Failure): void {
  cancelOpen(draft, 'run-failed');
  draft.run('run.failed', { status: 'failed', failure });
}

function aborted(draft: Draft, command: CommandOf<'aborted'>): void {
  const step = openStep(draft.state, command);
  if (step === undefined || draft.state.status !== 'cancelling') return;
  draft.step('step.cancelled', step, { reason: 'run-cancelled' });
}

function recordTurn(draft: Draft, command: CommandOf<'record-turn'>): void {
  const step = openStep(draft.state, command);
  if (step === undefined) return;
  const turn = step.turns.length + 1;
  const { body, tool } = command;
  const spent = spentOf(command);
  if (tool === undefined) draft.step('turn.completed', step, { turn, body, ...spent });
  else draft.step('tool.called', step, { turn, body, tool, ...spent });
}

/** A run out of time ends like any failure; a cancelled run out of grace ends without its attempts. */
function tick(draft: Draft): void {
  const { state, now } = draft;
  if (state.status === 'cancelling' && (state.graceUntil ?? 0) <= now) {
    cancelOpen(draft, 'run-cancelled');
    cancelled(draft);
    return;
  }
  const deadline = runDeadline(state);
  if (deadline === undefined || deadline > now) return;
  const { timeoutMs } = state.queued.options;
  const time = `${String(timeoutMs)} ms`;
  cancelOpen(draft, 'run-failed');
  const failure = failureOf(runErrors['run.timed-out'], `the run executed for longer than its ${time}`, {
    details: { timeoutMs },
  });
  draft.run('run.failed', { status: 'timed_out', failure });
}

function cancelOpen(draft: Draft, reason: 'run-cancelled' | 'run-failed'): void {
  for (const step of openSteps(draft.state)) draft.step('step.cancelled', step, { reason });
}

function cancelled(draft: Draft): void {
  const { cancelReason } = draft.state;
  draft.run('run.cancelled', cancelReason === undefined ? {} : { reason: cancelReason });
}

/** Steps with an open attempt, in definition order. */
function openSteps(state: RunState): readonly StepState[] {
  return [...state.frontier.open].toSorted((a, b) => a - b).flatMap((index) => state.steps[index] ?? []);
}

/** The step of a report, when exactly that attempt is open. */
function openStep(
  state: RunState,
  { stepId, attempt }: { readonly stepId: string; readonly attempt: number },
): StepState | undefined {
  const step = findStep(state, stepId);
  return step?.status === 'running' && step.attempt === attempt ? step : undefined;
}
