/**
 * Idempotency keys of requests.
 *
 * Decided here: what a key looks like, and what counts as the same request. Decided elsewhere: where the first answer
 * is kept (ports/idempotency.store.ts), how a generic route replays it (idempotency.interceptor.ts), and what a start
 * of a run writes in its own transaction (runs).
 */
import { createHash } from 'node:crypto';

import type { FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { canonicalJson, type Json } from '../../kernel/json.js';
import type { IdempotencyRow } from '../ports/idempotency.store.js';
import { httpErrors } from './http.errors.js';

/** How long the first answer is given again. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** The row of a request that has not been answered yet. */
export type PendingIdempotencyRow = Omit<IdempotencyRow, 'runId' | 'answer'>;

/**
 * The idempotency row of a request at an instant; undefined when it has no key.
 *
 * The same request is the same route, path, query and body, whatever the order of keys in objects.
 *
 * @throws AppError `request.invalid` when the key is malformed
 */
export function idempotencyRowOf(request: FastifyRequest, now: number): PendingIdempotencyRow | undefined {
  const key = readIdempotencyKey(request);
  if (key === undefined) return undefined;
  return {
    namespace: request.principal?.namespace ?? '',
    operation: `${request.method} ${request.routeOptions.url ?? ''}`,
    key,
    bodyHash: hashOf(request),
    createdAt: now,
    expiresAt: now + KEPT_MS,
  };
}

/**
 * The header `Idempotency-Key`; undefined when it is absent.
 *
 * @throws AppError `request.invalid` when it is empty, longer than 255 or has other than visible characters
 */
function readIdempotencyKey({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw AppError.of(
    httpErrors['request.invalid'],
    'Expected an Idempotency-Key of 1 to 255 visible characters without spaces',
  );
}

function hashOf({ params, query, body }: FastifyRequest): string {
  const same = { params: params ?? null, query: query ?? null, body: body ?? null } as unknown as Json;
  return createHash('sha256').update(canonicalJson(same)).digest('hex');
}
