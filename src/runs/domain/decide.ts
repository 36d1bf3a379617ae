/**
 * What a command leads to: `decide(state, command) → events`, or the failure that refuses it.
 *
 * Decided here: every transition of run, unit and attempt. Decided elsewhere: what the events mean (evolve.ts), what
 * should happen next (plan.ts), the values of expressions (evaluated before and put on the command). A report about an
 * attempt that is not open, or about a run that has ended, leads to nothing: late and doubled reports change nothing.
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import { deadlineOf } from './attempt-deadline.js';
import { approvalIdOf, endAtDeadline, outcomeOfApproval, type ApprovalEnd } from './approval.js';
import { controlContext } from './context-control.js';
import { Draft } from './draft.js';
import { cancelWithin, completeUnit, failUnit } from './endings.js';
import { outcomeOfIterations } from './holdings.js';
import type { Kept } from './kept.js';
import { keptField } from './kept-in-events.js';
import { nextRetryDelay } from './retry.js';
import { retryRun } from './retry-run.js';
import { cutEnding, endCancelled, endRun, failRun, finishEnding, timeOutRun } from './run-ends.js';
import type { Awaited, Consequence, ContextCommand, Resolution, RunCommand } from './run.commands.js';
import { runErrors } from './run.errors.js';
import { spentOf, type InterruptCause, type RunEvent, type Spent, type UnitWaiting } from './run.events.js';
import {
  inOrder,
  liveUnit,
  mayProceed,
  nextQueueTimeout,
  nextTimer,
  runDeadline,
  takerOf,
  type RunState,
} from './run.state.js';
import { isTerminal } from './run.status.js';
import { canRestart, holdingOf, type HeldIterations, type Unit, type Wait } from './unit.js';

/** How many signals a run keeps that no step has taken. */
const MAX_KEPT_SIGNALS = 1_000;

/** How long a cancelled run waits for its attempts to end, in milliseconds. */
export const CANCEL_GRACE_MS = 5_000;

type CommandOf<T extends RunCommand['type']> = Extract<RunCommand, { readonly type: T }>;

/** Decides a command. Pure and total; the state is read, never changed. */
export function decide(state: RunState, command: RunCommand): Result<readonly RunEvent[]> {
  const draft = new Draft(state, command.at);
  switch (command.type) {
    case 'pause':
    case 'resume':
      return decideControl(draft, command);
    case 'cancel':
      return cancel(draft, command);
    case 'signal':
      return receiveSignal(draft, command);
    case 'retry':
      return retryRun(state, command);
    case 'patch-context':
    case 'create-snapshot':
    case 'restore-context':
      return controlContext(state, command);
    default:
      if (!isTerminal(state.status)) decideProgress(draft, command);
      return ok(draft.events);
  }
}

type ControlType = 'pause' | 'resume';
type ProgressType = Exclude<
  RunCommand['type'],
  ControlType | ContextCommand['type'] | 'cancel' | 'signal' | 'retry'
>;

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
  complete: (draft, command) => {
    const unit = openUnit(draft.state, command);
    if (unit !== undefined) completeUnit(draft, unit, command);
  },
  fail: failAttempt,
  aborted,
  'record-turn': recordTurn,
  suspend,
  expire,
  deliver,
  answer,
  close,
  rest: (draft) => {
    const until = nextTimer(draft.state)?.at;
    if (draft.state.status === 'running')
      draft.run('run.waiting', until === undefined ? {} : { until: isoOf(until) });
  },
  rouse: (draft) => {
    if (draft.state.status === 'waiting') draft.run('run.resumed', {});
  },
  conclude: (draft) => {
    if (draft.state.fatal !== undefined) failRun(draft, draft.state.fatal);
  },
  finish: (draft, { output }) => {
    if (draft.state.status === 'running') endRun(draft, { status: 'completed', output });
  },
  'finish-failed': (draft, { failure }) => {
    if (draft.state.status === 'running') failRun(draft, failure);
  },
  'finish-cancelled': (draft) => {
    if (draft.state.status === 'cancelling') endCancelled(draft);
  },
  'finish-ending': finishEnding,
  tick,
};

function decideProgress(draft: Draft, command: CommandOf<ProgressType>): void {
  const decideOne: (draft: Draft, command: never) => void = PROGRESS[command.type];
  decideOne(draft, command as never);
}

function decideControl(draft: Draft, command: CommandOf<ControlType>): Result<readonly RunEvent[]> {
  const { status } = draft.state;
  const by = command.by === undefined ? {} : { by: command.by };
  if (isTerminal(status) || status === 'cancelling') return fail(notActive(draft.state, command.type));
  if (command.type === 'pause' && status !== 'paused')
    draft.run('run.paused', { ...by, ...reasonOf(command) });
  if (command.type === 'resume' && status === 'paused') draft.run('run.resumed', by);
  return ok(draft.events);
}

/** A cancelled run ends once nothing is under way; one that is about to end, at once. */
function cancel(draft: Draft, command: CommandOf<'cancel'>): Result<readonly RunEvent[]> {
  const { status, ending } = draft.state;
  if (isTerminal(status) || status === 'cancelling') return ok(draft.events);
  const by = command.by === undefined ? {} : { by: command.by };
  const compensate = command.compensate === true && { compensate: true };
  draft.run('run.cancelling', { ...by, ...reasonOf(command), ...compensate, graceMs: CANCEL_GRACE_MS });
  if (ending !== undefined) cutEnding(draft, 'cancelled');
  return ok(draft.events);
}

/** A signal is kept until a step takes it; one that a step waits for is taken at once. */
function receiveSignal(draft: Draft, command: CommandOf<'signal'>): Result<readonly RunEvent[]> {
  const { state } = draft;
  const { name, data, by, consequence } = command;
  if (isTerminal(state.status) || state.status === 'cancelling')
    return fail(notActive(state, 'take a signal'));
  const taker = takerOf(state, name);
  if (taker === undefined && keptCount(state) >= MAX_KEPT_SIGNALS) {
    const message = `run ${state.runId} keeps ${MAX_KEPT_SIGNALS} signals that no step has taken: it takes no more`;
    return fail(failureOf(runErrors['signal.too-many'], message));
  }
  draft.run('signal.received', { name, data, ...(by === undefined ? {} : { by }) });
  if (taker !== undefined) completeUnit(draft, taker, { output: data, ...(consequence && { consequence }) });
  return ok(draft.events);
}

function keptCount({ signals }: RunState): number {
  return [...signals.values()].reduce((count, { length }) => count + length, 0);
}

function notActive(state: RunState, verb: string): Failure {
  return failureOf(runErrors['run.not-active'], `run ${state.runId} is ${state.status}: it can not ${verb}`, {
    details: { status: state.status },
  });
}

function reasonOf({ reason }: { readonly reason?: string }): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function interruptAll(draft: Draft, cause: InterruptCause, epoch: number): void {
  for (const unit of inOrder(draft.state.frontier.open)) draft.unit('interrupted', unit, { cause, epoch });
}

function resolve(draft: Draft, command: CommandOf<'resolve'>): void {
  const unit = liveUnit(draft.state, command.path);
  if (unit?.status === 'ready' && mayProceed(draft.state)) goOn(draft, unit, command);
}

function goOn(
  draft: Draft,
  unit: Unit,
  { resolution, consequence, subRunId }: Omit<CommandOf<'resolve'>, 'path'>,
): void {
  switch (resolution.kind) {
    case 'start':
      draft.unit('started', unit, { input: resolution.input }, unit.attempt + 1);
      break;
    case 'delegate':
      delegate(draft, unit, resolution.input, subRunId);
      break;
    case 'hold': {
      const { kind: _, ...opened } = resolution;
      draft.unit('started', unit, opened, unit.attempt + 1);
      break;
    }
    case 'wait': {
      const { kind: _, ...awaited } = resolution;
      draft.unit('waiting', unit, waitOf(awaited));
      break;
    }
    case 'ask':
      ask(draft, unit, resolution);
      break;
    case 'complete':
      completeUnit(draft, unit, { output: resolution.output, ...(consequence && { consequence }) });
      break;
    case 'skip':
      draft.of(unit, 'step.skipped', { reason: resolution.reason });
      break;
    case 'fail':
      failUnit(draft, unit, resolution.failure);
      break;
  }
}

/** An attempt that failed. */
interface FailedAttempt extends Spent {
  readonly failure: Failure;
  /** In [0, 1): spreads the back-off. */
  readonly random: number;
}

function waitOf({ until, ...awaited }: Awaited & { readonly until?: number }): UnitWaiting {
  return { ...awaited, ...(until === undefined ? {} : { until: isoOf(until) }) };
}

/** An attempt whose work is a run of its own: it is closed at once, and the unit waits for the run. */
function delegate(draft: Draft, unit: Unit, input: Kept, subRunId: string | undefined): void {
  if (subRunId === undefined)
    throw new TypeError(`${unit.path} needs a run of its own, and has no id for it`);
  const { now: startedAt } = draft;
  const { step, firstStartedAt = startedAt } = unit;
  const attempt = unit.attempt + 1;
  const until = deadlineOf({ step, startedAt, firstStartedAt })?.at;
  draft.unit('started', unit, { ...keptField('input', input), subRunId }, attempt);
  const awaited = { for: 'run', ref: subRunId, ...(until !== undefined && { until }) } as const;
  draft.unit('waiting', unit, waitOf(awaited), attempt);
}

function restart(draft: Draft, { path, subRunId }: CommandOf<'restart'>): void {
  const { state, now } = draft;
  const unit = liveUnit(state, path);
  if (unit === undefined || !canRestart(unit) || !mayProceed(state)) return;
  const isDue = unit.status === 'retrying' && (unit.dueAt ?? 0) <= now;
  if (unit.status !== 'ready' && !isDue) return;
  const { input, held } = unit;
  if (subRunId !== undefined && input !== undefined && holdingOf(unit) === undefined) {
    delegate(draft, unit, input, subRunId);
    return;
  }
  const items = held?.kind === 'items' ? { items: held.total } : {};
  draft.unit(
    'started',
    unit,
    { ...(input !== undefined && keptField('input', input)), ...items },
    unit.attempt + 1,
  );
}

function failAttempt(draft: Draft, command: CommandOf<'fail'>): void {
  const unit = openUnit(draft.state, command);
  if (unit === undefined) return;
  const { status, ending } = draft.state;
  if (status === 'cancelling' && ending === undefined)
    draft.unit('cancelled', unit, { reason: 'run-cancelled' });
  else failOrRetry(draft, unit, command);
}

/** Ends an attempt: another follows after its back-off, or the unit has failed. */
function failOrRetry(draft: Draft, unit: Unit, failed: FailedAttempt): void {
  const { failure } = failed;
  const delayMs = retryDelay(draft, unit, failed);
  if (delayMs === undefined) {
    failUnit(draft, unit, failure, spentOf(failed));
    return;
  }
  const retryAt = isoOf(draft.now + delayMs);
  draft.unit('retrying', unit, { failure, retryAt, delayMs, ...spentOf(failed) });
}

function retryDelay(
  draft: Draft,
  { step, failures, firstStartedAt }: Unit,
  { failure, random }: FailedAttempt,
): number | undefined {
  const { retry: policy, totalTimeoutMs } = step;
  const delayMs = nextRetryDelay({ policy, failure, failures: failures + 1, random });
  if (delayMs === undefined || totalTimeoutMs === undefined) return delayMs;
  const endsAt = (firstStartedAt ?? draft.now) + totalTimeoutMs;
  return draft.now + delayMs < endsAt ? delayMs : undefined;
}

function aborted(draft: Draft, command: CommandOf<'aborted'>): void {
  const unit = openUnit(draft.state, command);
  if (unit === undefined || draft.state.status !== 'cancelling') return;
  draft.unit('cancelled', unit, { reason: 'run-cancelled' });
}

function recordTurn(draft: Draft, command: CommandOf<'record-turn'>): void {
  const unit = openUnit(draft.state, command);
  if (unit === undefined) return;
  const turn = unit.turns.length + 1;
  const { body, tool } = command;
  const spent = spentOf(command);
  if (tool === undefined) draft.of(unit, 'turn.completed', { turn, body, ...spent });
  else draft.of(unit, 'tool.called', { turn, body, tool, ...spent });
}

function suspend(draft: Draft, command: CommandOf<'suspend'>): void {
  const unit = openUnit(draft.state, command);
  if (unit === undefined) return;
  const { type: _type, at: _at, path: _path, attempt: _attempt, ...awaited } = command;
  draft.unit('waiting', unit, waitOf(awaited));
}

/** Something has lasted as long as it may: a wait, a repetition, being ready without a place. */
function expire(draft: Draft, command: CommandOf<'expire'>): void {
  const { state, now } = draft;
  const unit = liveUnit(state, command.path);
  if (unit?.dueAt === undefined || !mayProceed(state)) return;
  if (unit.status === 'ready') expireQueue(draft, unit);
  else if (unit.dueAt > now) return;
  else if (unit.wait !== undefined) expireWait(draft, unit, unit.wait, command);
  else if (unit.held?.kind === 'iterations') expireRepetition(draft, unit, unit.held);
}

function expireQueue(draft: Draft, unit: Unit): void {
  const { queueTimeoutMs = 0 } = unit.step;
  if ((nextQueueTimeout(draft.state)?.at ?? Infinity) > draft.now) return;
  const message = `the step was ready for ${queueTimeoutMs} ms, and no place was free`;
  failUnit(
    draft,
    unit,
    failureOf(runErrors['step.queue-timed-out'], message, { details: { queueTimeoutMs } }),
  );
}

/** What an iteration is doing is given up. */
function expireRepetition(draft: Draft, unit: Unit, held: HeldIterations): void {
  const outcome = outcomeOfIterations(unit, { ...held, next: 'exhausted' });
  if (!outcome.ok) {
    failUnit(draft, unit, outcome.failure);
    return;
  }
  cancelWithin(draft, unit);
  completeUnit(draft, unit, { output: outcome.value });
}

/** A timer that has run out is what was waited for; of anything else it means that it did not come. */
function expireWait(
  draft: Draft,
  unit: Unit,
  { for: reason, name, ref }: Wait,
  { consequence }: CommandOf<'expire'>,
): void {
  if (unit.approval !== undefined) {
    endApproval(draft, unit, { ...endAtDeadline(unit.approval), ...(consequence && { consequence }) });
    return;
  }
  if (reason === 'timer') {
    completeUnit(draft, unit, { output: null, ...(consequence && { consequence }) });
    return;
  }
  const failure = failureOf(runErrors['step.timed-out'], `what the step waited for did not come: ${reason}`, {
    details: { for: reason, ...(name !== undefined && { name }), ...(ref !== undefined && { ref }) },
  });
  failWaiting(draft, unit, { failure, random: 1 });
}

function deliver(draft: Draft, command: CommandOf<'deliver'>): void {
  const { state } = draft;
  const { path, wait, outcome, random, consequence } = command;
  const unit = liveUnit(state, path);
  if (unit?.wait?.seq !== wait) {
    countLate(draft, command);
    return;
  }
  if (state.status === 'cancelling' && !mayProceed(state)) {
    // A cancelled run waits for its sub-runs, which are cancelled with it: what they have spent counts.
    if (unit.wait.for === 'run')
      draft.unit('cancelled', unit, { reason: 'run-cancelled', ...spentOf(outcome) });
    return;
  }
  if (outcome.status === 'completed')
    completeUnit(draft, unit, { ...outcome, ...(consequence && { consequence }) });
  else failWaiting(draft, unit, { ...outcome, random });
}

/** A sub-run that was given up has ended: nothing comes of it but what it has spent. */
function countLate(draft: Draft, command: CommandOf<'deliver'>): void {
  const subRunId = draft.state.givenUp.get(command.wait);
  const spent = spentOf(command.outcome);
  if (subRunId === undefined || Object.keys(spent).length === 0) return;
  draft.run('run.spent', { subRunId, path: command.path, ...spent });
}

/** Asks for an approval, and begins to wait for it. */
function ask(
  draft: Draft,
  unit: Unit,
  { asked, until }: Extract<Resolution, { readonly kind: 'ask' }>,
): void {
  const id = approvalIdOf(draft.state.runId, draft.nextSeq());
  draft.of(unit, 'approval.requested', { id, ...asked, ...(until !== undefined && { until: isoOf(until) }) });
  draft.unit('waiting', unit, waitOf({ for: 'approval', ref: id, ...(until !== undefined && { until }) }));
}

/** The first answer counts: later ones find that nobody waits for them. */
function answer(draft: Draft, command: CommandOf<'answer'>): void {
  const { path, approval, decision, data, by, consequence } = command;
  const { state } = draft;
  const unit = liveUnit(state, path);
  if (unit?.approval?.id !== approval || (state.status === 'cancelling' && !mayProceed(state))) return;
  const answered = { decision, data, ...(by !== undefined && { by }) };
  endApproval(draft, unit, { ...answered, ...(consequence && { consequence }) });
}

function endApproval(
  draft: Draft,
  unit: Unit,
  { consequence, ...end }: ApprovalEnd & { readonly consequence?: Consequence },
): void {
  if (unit.approval === undefined) return;
  const outcome = outcomeOfApproval(unit.approval, end, draft.now);
  draft.of(unit, 'approval.resolved', { id: unit.approval.id, ...end });
  if (outcome.ok) completeUnit(draft, unit, { output: outcome.value, ...(consequence && { consequence }) });
  else failUnit(draft, unit, outcome.failure);
}

/**
 * Only what was begun by an attempt is tried again. Of a sub-run only where somebody asks for that: its steps were
 * tried again already, and tries of runs within runs multiply.
 */
function failWaiting(draft: Draft, unit: Unit, failed: FailedAttempt): void {
  const isTriedAgain = unit.wait?.for === 'run' ? unit.step.hasPolicy : unit.attempt > 0;
  if (isTriedAgain) failOrRetry(draft, unit, failed);
  else failUnit(draft, unit, failed.failure, spentOf(failed));
}

function close(draft: Draft, { path, outcome, consequence }: CommandOf<'close'>): void {
  const { state } = draft;
  const unit = liveUnit(state, path);
  if (unit === undefined || !state.frontier.closing.has(unit) || !mayProceed(state)) return;
  if (outcome.ok) completeUnit(draft, unit, { output: outcome.value, ...(consequence && { consequence }) });
  else failUnit(draft, unit, outcome.failure);
}

/** A run out of time ends like any failure; a cancelled run out of grace ends without its attempts. */
function tick(draft: Draft): void {
  const { state, now } = draft;
  const { status, ending, graceUntil = 0 } = state;
  if (ending?.until !== undefined) {
    if (ending.until <= now && status !== 'paused') cutEnding(draft, 'timed_out');
    return;
  }
  if (status === 'cancelling' && graceUntil <= now) {
    endCancelled(draft);
    return;
  }
  const deadline = runDeadline(state);
  if (deadline === undefined || deadline > now) return;
  if (ending === undefined) timeOutRun(draft);
  else cutEnding(draft, 'timed_out');
}

/** The unit of a report, when exactly that attempt is open. */
function openUnit(
  state: RunState,
  { path, attempt }: { readonly path: string; readonly attempt: number },
): Unit | undefined {
  const unit = liveUnit(state, path);
  if (unit?.status !== 'running' || unit.attempt !== attempt) return undefined;
  return holdingOf(unit) === undefined ? unit : undefined;
}
