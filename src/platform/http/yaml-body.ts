/**
 * YAML request bodies, on the routes that take them.
 *
 * Decided here: which media types and routes. The text comes to the route as it is; what it says is read elsewhere
 * (platform/yaml).
 */
import { isUtf8 } from 'node:buffer';

import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import { httpErrors } from './http.errors.js';

/** The registered type (RFC 9512), and those in use before it. */
const MEDIA_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml'];

/** Marks a route that takes a body in YAML beside JSON; the body is then a string. */
export function AcceptsYaml(): MethodDecorator {
  return RouteConfig({ acceptsYaml: true });
}

/** Adds YAML to the bodies of a server. */
export function useYamlBodies(server: FastifyInstance): void {
  server.addContentTypeParser(MEDIA_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, textOf(request, body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function textOf({ routeOptions }: FastifyRequest, bytes: Buffer): string {
  const config = routeOptions.config as { readonly acceptsYaml?: boolean } | undefined;
  if (config?.acceptsYaml !== true) {
    throw AppError.of(httpErrors['request.unsupported-media'], 'Expected a body of type application/json');
  }
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw AppError.of(httpErrors['request.invalid'], 'Expected a body in UTF-8');
}
