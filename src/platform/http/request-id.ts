import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { makeId } from '../../kernel/ids.js';

const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/** The id of a request: the caller's `X-Request-Id` when it is sane, else a fresh one, at random: it is made for each. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : makeId('req', randomUUID());
}
