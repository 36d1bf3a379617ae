import { HttpStatus, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Clock } from '../platform/clock/clock.js';
import { idempotencyRowOf } from '../platform/http/idempotency.js';
import { isTerminal } from './domain/run.status.js';
import type { RunView } from './domain/view.js';
import { RunReader } from './run.reader.js';
import { RunService, type StartRequest } from './run.service.js';

/** The longest that `Prefer: wait` makes a start wait, in seconds. */
const MAX_WAIT_S = 60;

/** Starts runs for HTTP: `Idempotency-Key`, `Location`, and `Prefer: wait`, alike wherever a run is started. */
@Injectable()
export class StartResponder {
  constructor(
    private readonly runs: RunService,
    private readonly reader: RunReader,
    private readonly clock: Clock,
  ) {}

  /**
   * Starts a run and answers it: 202 as it was accepted, or 200 when it ended within the time that was asked for.
   *
   * @throws AppError as `RunService.start`
   */
  async answer(
    start: Omit<StartRequest, 'idempotency'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<RunView> {
    const idempotency = idempotencyRowOf(request, this.clock.now());
    const { run, isReplayed } = await this.runs.start({ ...start, ...(idempotency && { idempotency }) });
    if (isReplayed) void reply.header('Idempotent-Replayed', 'true');
    void reply.header('Location', run.links.self);
    const waitMs = waitOf(request.headers['prefer']);
    const current = waitMs > 0 ? await this.reader.whenEnded(start.namespace, run.id, waitMs) : run;
    void reply.status(waitMs > 0 && isTerminal(current.status) ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return current;
  }
}

/** Seconds of `Prefer: wait=…` (RFC 7240 §4.3) as milliseconds; 0 when absent or not a number. */
function waitOf(prefer: string | string[] | undefined): number {
  const wait = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(String(prefer ?? ''));
  return Math.min(Number(wait?.[1] ?? 0), MAX_WAIT_S) * 1_000;
}
