/** Keys of workers: they open the routes of tasks, for the agents that they name, and nothing else. */
import { RouteConfig } from '@nestjs/platform-fastify';

import { AppError } from '../../kernel/failure.js';
import { authErrors } from './auth.errors.js';
import type { Principal } from './principal.js';

/** Marks a route that a worker's key opens. The route itself asks `requireAgent`. */
export function ForWorkers(): MethodDecorator {
  return RouteConfig({ isForWorkers: true });
}

/** @throws AppError `auth.forbidden` for a worker's key */
export function refuseWorkers({ agents }: Principal): void {
  if (agents === undefined) return;
  throw AppError.of(authErrors['auth.forbidden'], 'The API key is for polling and answering tasks only');
}

/** @throws AppError `auth.forbidden` when the key is for tasks of other agents */
export function requireAgent({ agents }: Principal, agentKey: string): void {
  if (agents === undefined || agents.includes(agentKey)) return;
  throw AppError.of(authErrors['auth.forbidden'], `The API key is not for tasks of agent "${agentKey}"`);
}
