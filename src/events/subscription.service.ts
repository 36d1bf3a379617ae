import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { httpErrors } from '../platform/http/http.errors.js';
import type { RunView } from '../runs/domain/view.js';
import { RunReader } from '../runs/run.reader.js';
import type { Carried } from './carried.js';
import type { Connection } from './connection.js';
import type { ResetNotice, Subscribed, SubscribePayload } from './event.contract.js';
import { SocketLimits } from './socket-limits.js';
import { SocketProblems } from './socket-problem.js';
import { socketErrors } from './socket.errors.js';
import { Subscription } from './subscription.js';

/** Which client follows which run. */
@Injectable()
export class SubscriptionService {
  private readonly progressed = new Set<Subscription>();
  private progressTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly reader: RunReader,
    private readonly problems: SocketProblems,
    private readonly limits: SocketLimits,
  ) {}

  /**
   * Reads a run that is to be followed from a sequence number on: the answer is the run as it is; `afterwards` makes
   * its events follow. Of a run that was deleted it is a reset, and nothing follows.
   *
   * @throws AppError `run.not-found`, `request.invalid` for a number that the run has not reached,
   * `subscription.limit-exceeded`
   */
  async subscribe(
    connection: Connection,
    { runId, afterSeq }: SubscribePayload,
  ): Promise<Carried<Subscribed | ResetNotice>> {
    this.requireRoom(connection, runId);
    const found = await this.find(connection.namespace, runId);
    if ('reset' in found) return { result: found };
    const snapshot = found;
    const seq = snapshot.lastSeq;
    if (afterSeq !== undefined && afterSeq > seq) throw notReached(afterSeq, seq);
    const afterwards = (): void => {
      this.follow(connection, snapshot, afterSeq ?? seq);
    };
    return { result: { snapshot, seq }, afterwards };
  }

  /** The run; what is known of it where it was deleted. @throws AppError `run.not-found` */
  private async find(namespace: string, runId: string): Promise<RunView | ResetNotice> {
    try {
      return await this.reader.run(namespace, runId);
    } catch (error) {
      const reset = await this.reader.findReset(namespace, runId);
      if (reset === undefined) throw error;
      return reset;
    }
  }

  /** Follows a run that was just read or started. A subscription that the client has to it is replaced. */
  follow(connection: Connection, snapshot: RunView, afterSeq: number): void {
    if (connection.isOver) return;
    this.unsubscribe(connection, snapshot.id);
    const subscription = new Subscription(snapshot, connection.outbox, (progressed) => {
      this.noteProgress(progressed);
    });
    connection.subscriptions.set(snapshot.id, subscription);
    void this.send(connection, subscription, afterSeq);
  }

  /** Stops following; does nothing when the client does not follow that run. */
  unsubscribe({ subscriptions }: Connection, runId: string): void {
    subscriptions.get(runId)?.stop();
    subscriptions.delete(runId);
  }

  /** @throws AppError `subscription.limit-exceeded` when the client may follow no further run */
  requireRoom({ subscriptions }: Connection, runId?: string): void {
    const { maxSubscriptions } = this.limits;
    if (subscriptions.size < maxSubscriptions || (runId !== undefined && subscriptions.has(runId))) return;
    throw AppError.of(
      socketErrors['subscription.limit-exceeded'],
      `A socket may follow ${maxSubscriptions} runs at once: end another subscription, or open another socket`,
    );
  }

  private async send(connection: Connection, subscription: Subscription, afterSeq: number): Promise<void> {
    const { runId, signal } = subscription;
    const { namespace, subscriptions } = connection;
    try {
      await subscription.send(this.reader.follow({ namespace, runId, afterSeq, signal, deltas: true }));
    } catch (error) {
      if (!signal.aborted) connection.tell(this.problems.ofInterruption(error, runId));
    } finally {
      this.progressed.delete(subscription);
      if (subscriptions.get(runId) === subscription) subscriptions.delete(runId);
    }
  }

  /** One timer for all: it runs only while there is something to tell. */
  private noteProgress(subscription: Subscription): void {
    this.progressed.add(subscription);
    this.progressTimer ??= setTimeout(() => {
      this.progressTimer = undefined;
      for (const progressed of this.progressed) progressed.tellProgress();
      this.progressed.clear();
    }, this.limits.progressMs).unref();
  }
}

function notReached(afterSeq: number, seq: number): AppError {
  const message = `the last event of the run is ${seq}, so there is nothing after ${afterSeq}`;
  return AppError.of(httpErrors['request.invalid'], message, {
    issues: [{ pointer: '/afterSeq', code: 'field.invalid', message }],
  });
}
