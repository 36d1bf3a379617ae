import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, from, mergeMap, of, type Observable } from 'rxjs';

import { AppError } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { Clock } from '../clock/clock.js';
import {
  IdempotencyStore,
  type IdempotencyAnswer,
  type IdempotencyBegin,
} from '../ports/idempotency.store.js';
import { httpErrors } from './http.errors.js';
import { idempotencyRowOf, type PendingIdempotencyRow } from './idempotency.js';

/** A request that has not answered for so long has died with its process. */
const ABANDONED_AFTER_MS = 15 * 60 * 1000;
const RETRY_AFTER_MS = 1000;
/** Headers that are part of an answer. */
const KEPT_HEADERS = ['location', 'etag'];

/**
 * Gives a repeated request its first answer. Only answers of success are kept: a refusal has changed nothing, so the
 * key may be used again, with a mended body, too.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger('Idempotency');

  constructor(
    private readonly store: IdempotencyStore,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const row = idempotencyRowOf(request, this.clock.now());
    if (row === undefined) return next.handle();
    return from(this.begin(row)).pipe(
      mergeMap((answer) => (answer === undefined ? this.run(row, reply, next) : of(replay(answer, reply)))),
    );
  }

  /** The answer to give again; undefined when the request is the first of its key. */
  private async begin(row: PendingIdempotencyRow): Promise<IdempotencyAnswer | undefined> {
    const begin = await this.store.begin(row);
    if (begin.state !== 'in_progress') return answerOf(begin);
    const first = await this.store.find(row, row.createdAt);
    if (first !== undefined && row.createdAt - first.createdAt < ABANDONED_AFTER_MS) throw inProgress();
    await this.store.abandon(row);
    return answerOf(await this.store.begin(row));
  }

  private run(row: PendingIdempotencyRow, reply: FastifyReply, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError(async (error: unknown) => {
        await this.settle(row, this.store.abandon(row));
        throw error;
      }),
      mergeMap(async (body: unknown) => {
        await this.settle(row, this.store.complete(row, answerFrom(reply, body)));
        return body;
      }),
    );
  }

  /** The work is done or refused already: a store that fails now must not change the answer. */
  private async settle({ operation, key }: PendingIdempotencyRow, settled: Promise<void>): Promise<void> {
    try {
      await settled;
    } catch (err) {
      this.logger.warn({ err, operation, key, msg: 'The answer of an idempotency key was not kept' });
    }
  }
}

function answerOf(begin: IdempotencyBegin): IdempotencyAnswer | undefined {
  switch (begin.state) {
    case 'fresh':
      return undefined;
    case 'answered':
      if (begin.row.answer === undefined) throw inProgress();
      return begin.row.answer;
    case 'mismatch':
      throw AppError.of(
        httpErrors['idempotency.mismatch'],
        'The Idempotency-Key was used for another request. Take a fresh key for each request',
      );
    case 'in_progress':
      throw inProgress();
  }
}

function inProgress(): AppError {
  return AppError.of(
    httpErrors['idempotency.in-progress'],
    'The first request with this Idempotency-Key has not been answered yet. Repeat the request later',
    { retryAfterMs: RETRY_AFTER_MS },
  );
}

/** What the caller is sent, as JSON writes it: dates and undefined members become what they are on the wire. */
function answerFrom(reply: FastifyReply, body: unknown): IdempotencyAnswer {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  const text = JSON.stringify(body) as string | undefined;
  return { status: reply.statusCode, headers, body: text === undefined ? null : (JSON.parse(text) as Json) };
}

function replay({ status, headers, body }: IdempotencyAnswer, reply: FastifyReply): unknown {
  reply.status(status).headers(headers).header('idempotent-replayed', 'true');
  return body ?? undefined;
}
