import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { SIGNAL_NAME } from '../workflows/domain/kinds/signal.step.js';
import { runErrors } from './domain/run.errors.js';
import type { RunEvent, RunEventType } from './domain/run.events.js';
import { isTerminal, type RunStatus } from './domain/run.status.js';
import type { RunView } from './domain/view.js';
import { CommandRefusals } from './engine/command-refusals.js';
import { RunEngine } from './engine/run.engine.js';
import type { RunRow } from './run.catalogue.js';
import { RunFeed } from './run.feed.js';
import { RunInbox, type InboxCommand } from './run.inbox.js';
import { RunReader } from './run.reader.js';
import { runNotFound } from './state.reader.js';

/** How long a caller waits for its command to be recorded. */
const RECORDED_WITHIN_MS = 2_000;

/** A command about the run as a whole, or a signal; the others are about one unit that waits. */
export type ControlCommand = Extract<
  InboxCommand,
  { readonly type: 'pause' | 'resume' | 'cancel' | 'signal' }
>;

/** An answer to an approval. */
export type AnswerCommand = Extract<InboxCommand, { readonly type: 'answer' }>;

export interface ControlAnswer {
  readonly run: RunView;
  /** False when the command is in the inbox and its effect is not recorded yet. */
  readonly isRecorded: boolean;
}

/** What says that a command has taken effect, and the statuses in which there is nothing left to do. */
const RECORDED_BY: {
  readonly [T in ControlCommand['type']]: {
    readonly event: RunEventType;
    readonly already: readonly RunStatus[];
  };
} = {
  pause: { event: 'run.paused', already: ['paused'] },
  resume: { event: 'run.resumed', already: ['queued', 'running', 'waiting'] },
  cancel: { event: 'run.cancelling', already: ['cancelling'] },
  signal: { event: 'signal.received', already: [] },
};

const VERBS: { readonly [T in ControlCommand['type']]: string } = {
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel',
  signal: 'take a signal',
};

/** Pausing, resuming, cancelling and signalling runs, and delivering what they wait for, whoever owns them. */
@Injectable()
export class RunControlService {
  constructor(
    private readonly inbox: RunInbox,
    private readonly engine: RunEngine,
    private readonly feed: RunFeed,
    private readonly reader: RunReader,
    private readonly clock: Clock,
    private readonly refusals: CommandRefusals,
  ) {}

  /**
   * Sends a command to a run and waits until it is recorded, at most 2 s.
   *
   * A command that changes nothing (pausing a paused run, cancelling an ended one) answers the run as it is.
   *
   * @throws AppError `run.not-found`, `run.not-active`, `signal.too-many`; `request.invalid` for a name that is none
   */
  async send(namespace: string, runId: string, command: ControlCommand): Promise<ControlAnswer> {
    if (command.type === 'signal') requireSignalName(command.name);
    const row = await this.reader.requireRow(namespace, runId);
    if (this.isDone(row, command)) return { run: await this.reader.run(namespace, runId), isRecorded: true };
    const { event } = RECORDED_BY[command.type];
    const isRecorded = await this.record(row, command, ({ type }) => type === event);
    return { run: await this.reader.run(namespace, runId), isRecorded };
  }

  /**
   * Puts a command into the inbox of a run and waits until it is recorded, at most 2 s.
   *
   * @param isIt whether an event records the command
   * @returns whether it is recorded
   * @throws AppError `run.not-found`, or what the run refuses a command with an id for
   */
  async record(row: RunRow, command: InboxCommand, isIt: (event: RunEvent) => boolean): Promise<boolean> {
    const { namespace, id: runId } = row;
    const hearing = 'id' in command ? this.refusals.hear(command.id) : undefined;
    try {
      if (!(await this.inbox.put({ namespace, runId, command, at: this.clock.now() })))
        throw runNotFound(runId);
      const recorded = Promise.all([this.whenFound(row, isIt), this.wake(row, command)]);
      const outcomes = hearing === undefined ? [recorded] : [recorded, hearing.refusal];
      const outcome = await Promise.race(outcomes);
      if (!Array.isArray(outcome)) throw new AppError(outcome);
      return outcome[0];
    } finally {
      hearing?.close();
    }
  }

  /**
   * Delivers what a unit of a run waits for; durable when this resolves. A delivery that nothing waits for any more is
   * dropped by the run.
   *
   * @throws AppError `run.not-found`
   */
  async deliver(
    namespace: string,
    runId: string,
    delivery: Omit<Extract<InboxCommand, { readonly type: 'deliver' }>, 'type'>,
  ): Promise<void> {
    const row = await this.reader.requireRow(namespace, runId);
    const command: InboxCommand = { type: 'deliver', ...delivery };
    if (!(await this.inbox.put({ namespace, runId, command, at: this.clock.now() })))
      throw runNotFound(runId);
    await this.wake(row, command);
  }

  /**
   * Answers an approval and waits until it is resolved, by this answer or another one, at most 2 s. An answer to an
   * approval that nothing waits for any more is dropped by the run.
   *
   * @throws AppError `run.not-found`
   */
  async answer(namespace: string, runId: string, command: AnswerCommand): Promise<void> {
    const row = await this.reader.requireRow(namespace, runId);
    if (!(await this.inbox.put({ namespace, runId, command, at: this.clock.now() })))
      throw runNotFound(runId);
    const resolved = this.whenRecorded(
      row,
      ({ type, data }) => type === 'approval.resolved' && data.id === command.approval,
    );
    await Promise.all([resolved, this.wake(row, command)]);
  }

  private isDone({ id, summary: { status } }: RunRow, { type }: ControlCommand): boolean {
    if (RECORDED_BY[type].already.includes(status)) return true;
    if (!isTerminal(status) && status !== 'cancelling') return false;
    if (type === 'cancel') return true;
    throw AppError.of(runErrors['run.not-active'], `run ${id} is ${status}: it can not ${VERBS[type]}`, {
      details: { status },
    });
  }

  /** Its owner reads its inbox; a run that nobody owns is claimed for as long as the command takes. */
  private async wake({ id: runId, priority, epoch }: RunRow, { type }: InboxCommand): Promise<void> {
    const mode = type === 'pause' || type === 'cancel' ? 'control' : 'claimed';
    const loop = this.engine.find(runId) ?? (await this.engine.claim(runId, mode, epoch));
    if (loop === undefined) this.engine.callFor(runId, priority);
    else loop.mail();
  }

  /** Whether an event of the run is it, within the time. A run that has ended may be opened again by it. */
  private async whenFound(row: RunRow, isIt: (event: RunEvent) => boolean): Promise<boolean> {
    if (!isTerminal(row.summary.status)) return this.whenRecorded(row, isIt);
    const { namespace, id: runId, lastSeq: afterSeq } = row;
    const signal = AbortSignal.timeout(RECORDED_WITHIN_MS);
    const changes = this.feed.watch(namespace, signal)[Symbol.asyncIterator]();
    // asked for changes before the log is read, so that none is missed
    for (let change = changes.next(); ; change = changes.next()) {
      for await (const item of this.feed.follow({ namespace, runId, afterSeq, signal })) {
        if (item.kind === 'event' && isIt(item.event.event)) return true;
      }
      if ((await change).done === true) return false;
    }
  }

  private async whenRecorded(row: RunRow, isIt: (event: RunEvent) => boolean): Promise<boolean> {
    const { namespace, id: runId, lastSeq: afterSeq } = row;
    const signal = AbortSignal.timeout(RECORDED_WITHIN_MS);
    for await (const item of this.feed.follow({ namespace, runId, afterSeq, signal })) {
      if (item.kind === 'event' && isIt(item.event.event)) return true;
    }
    return !signal.aborted;
  }
}

function requireSignalName(name: string): void {
  if (SIGNAL_NAME.test(name)) return;
  const message = `a signal has a name that matches ${SIGNAL_NAME.source}`;
  throw AppError.of(httpErrors['request.invalid'], message, {
    issues: [{ pointer: '/name', code: 'field.invalid', message }],
  });
}
