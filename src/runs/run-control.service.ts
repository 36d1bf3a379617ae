import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { runErrors } from './domain/run.errors.js';
import type { RunEventType } from './domain/run.events.js';
import { isTerminal, type RunStatus } from './domain/run.status.js';
import type { RunView } from './domain/view.js';
import { RunEngine } from './engine/run.engine.js';
import type { RunRow } from './run.catalogue.js';
import { RunFeed } from './run.feed.js';
import { RunInbox, type InboxCommand } from './run.inbox.js';
import { RunQueue } from './run.queue.js';
import { RunReader, runNotFound } from './run.reader.js';

/** How long a caller waits for its command to be recorded. */
const RECORDED_WITHIN_MS = 2_000;

export interface ControlAnswer {
  readonly run: RunView;
  /** False when the command is in the inbox and its effect is not recorded yet. */
  readonly isRecorded: boolean;
}

/** What says that a command has taken effect, and the statuses in which there is nothing left to do. */
const RECORDED_BY: {
  readonly [T in InboxCommand['type']]: {
    readonly event: RunEventType;
    readonly already: readonly RunStatus[];
  };
} = {
  pause: { event: 'run.paused', already: ['paused'] },
  resume: { event: 'run.resumed', already: ['queued', 'running', 'waiting'] },
  cancel: { event: 'run.cancelling', already: ['cancelling'] },
};

/** Pausing, resuming and cancelling runs, whoever owns them. */
@Injectable()
export class RunControlService {
  constructor(
    private readonly inbox: RunInbox,
    private readonly engine: RunEngine,
    private readonly queue: RunQueue,
    private readonly feed: RunFeed,
    private readonly reader: RunReader,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends a command to a run and waits until it is recorded, at most 2 s.
   *
   * A command that changes nothing (pausing a paused run, cancelling an ended one) answers the run as it is.
   *
   * @throws AppError `run.not-found`, `run.not-active`
   */
  async send(namespace: string, runId: string, command: InboxCommand): Promise<ControlAnswer> {
    const row = await this.reader.requireRow(namespace, runId);
    if (this.isDone(row, command)) return { run: await this.reader.run(namespace, runId), isRecorded: true };
    if (!(await this.inbox.put({ namespace, runId, command, at: this.clock.now() })))
      throw runNotFound(runId);
    const [isRecorded] = await Promise.all([this.whenRecorded(row, command), this.wake(row, command)]);
    return { run: await this.reader.run(namespace, runId), isRecorded };
  }

  private isDone({ id, summary: { status } }: RunRow, { type }: InboxCommand): boolean {
    if (RECORDED_BY[type].already.includes(status)) return true;
    if (!isTerminal(status) && status !== 'cancelling') return false;
    if (type === 'cancel') return true;
    throw AppError.of(runErrors['run.not-active'], `run ${id} is ${status}: it can not ${type}`, {
      details: { status },
    });
  }

  /** Its owner here reads its inbox; a run that nobody owns is claimed for as long as the command takes. */
  private async wake({ id: runId, priority, epoch }: RunRow, { type }: InboxCommand): Promise<void> {
    const mode = type === 'resume' ? 'claimed' : 'control';
    const loop = this.engine.find(runId) ?? (await this.engine.claim(runId, mode, epoch));
    if (loop === undefined) this.queue.hint({ runId, priority });
    else loop.mail();
  }

  private async whenRecorded(row: RunRow, { type }: InboxCommand): Promise<boolean> {
    const { namespace, id: runId, lastSeq: afterSeq } = row;
    const signal = AbortSignal.timeout(RECORDED_WITHIN_MS);
    for await (const item of this.feed.follow({ namespace, runId, afterSeq, signal })) {
      if (item.kind === 'event' && item.event.event.type === RECORDED_BY[type].event) return true;
    }
    return !signal.aborted;
  }
}
