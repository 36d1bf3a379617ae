import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { authErrors } from './auth.errors.js';
import type { Principal } from './principal.js';

/** The principal of a request, as a parameter of a route that is not public. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
  if (principal === undefined) throw AppError.of(authErrors['auth.required'], 'This route needs an API key');
  return principal;
});
