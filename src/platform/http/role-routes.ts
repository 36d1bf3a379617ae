import type { FastifyInstance } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import type { ProcessRole } from '../config/app.config.js';
import { httpErrors } from './http.errors.js';

/** What whoever runs a process asks it, whatever its role. */
const FOR_OPERATORS = /^\/(?:health\/(?:live|ready)|metrics|api\/v1\/health)\/?(?:\?|$)/;

/** A worker answers those who run it and nobody else: requests belong to processes that serve them. */
export function useRole(server: FastifyInstance, role: ProcessRole): void {
  if (role !== 'worker') return;
  server.addHook('onRequest', (request, _reply, done) => {
    if (FOR_OPERATORS.test(request.url)) done();
    else done(new AppError({ ...httpErrors['route.not-found'], message: REFUSAL }));
  });
}

const REFUSAL =
  'This process executes runs (ROLE=worker). It answers /health/live, /health/ready, /metrics and /api/v1/health only; ' +
  'send the request to a process whose ROLE is api or all';
