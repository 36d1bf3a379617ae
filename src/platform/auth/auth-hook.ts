import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { hasKeyInQuery, keyOfHeaders } from './access.js';
import { authErrors } from './auth.errors.js';
import type { AuthService } from './auth.service.js';
import { refuseWorkers } from './worker-key.js';

/** Documents that are the same for everybody and are opened by browsers, which send no key. */
const PUBLIC_DOCUMENTS = /^\/(?:docs(?:\/[^?]*)?|openapi\.json|asyncapi\.json)(?:\?|$)/;

/**
 * Authenticates every request before its body is read. Routes marked `@Public()` and the API's documents are exempt;
 * what does not exist is not.
 */
export function useAuthentication(server: FastifyInstance, auth: AuthService): void {
  server.decorateRequest('principal', undefined);
  server.addHook('onRequest', async (request) => {
    if (isPublic(request)) return;
    const result = await auth.authenticate(credentialsOf(request));
    if (!result.ok) throw new AppError(result.failure);
    if (!isForWorkers(request)) refuseWorkers(result.value);
    request.principal = result.value;
  });
}

interface RouteMarks {
  readonly isPublic?: boolean;
  readonly isForWorkers?: boolean;
}

function marksOf({ routeOptions }: FastifyRequest): RouteMarks {
  return (routeOptions.config as RouteMarks | undefined) ?? {};
}

function isPublic(request: FastifyRequest): boolean {
  return marksOf(request).isPublic === true || PUBLIC_DOCUMENTS.test(request.url);
}

function isForWorkers(request: FastifyRequest): boolean {
  return marksOf(request).isForWorkers === true;
}

function credentialsOf({ headers, url }: FastifyRequest): Parameters<AuthService['authenticate']>[0] {
  const apiKey = headers['x-api-key'];
  const key = keyOfHeaders(headers.authorization, typeof apiKey === 'string' ? apiKey : undefined);
  if (key === undefined && hasKeyInQuery(url)) {
    throw AppError.of(
      authErrors['auth.required'],
      'A key in the query is refused, because queries end in logs. Send `Authorization: Bearer ens_…`',
    );
  }
  return { host: headers.host, origin: headers.origin, key };
}
