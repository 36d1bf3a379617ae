import { RouteConfig } from '@nestjs/platform-fastify';

/** Marks a route that anybody may call without a key. */
export function Public(): MethodDecorator {
  return RouteConfig({ isPublic: true });
}
