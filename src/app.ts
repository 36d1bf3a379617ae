/** The application as main and every test make it. */
import { RequestMethod, VersioningType, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { AppModule } from './app.module.js';
import { useSockets } from './events/sockets.adapter.js';
import { useAuthentication } from './platform/auth/auth-hook.js';
import { AuthService } from './platform/auth/auth.service.js';
import type { AppConfig, ProcessRole } from './platform/config/app.config.js';
import { createHttpAdapter } from './platform/http/http.adapter.js';
import { serveOpenApi } from './platform/http/openapi.js';
import { useRole } from './platform/http/role-routes.js';
import { createLogger } from './platform/logging/create-logger.js';
import { NestLogger } from './platform/logging/nest-logger.js';

/** Routes outside `/api`. */
const ROOT_PATHS = [
  'health/live',
  'health/ready',
  'metrics',
  'asyncapi.json',
  'problems',
  'problems/:code',
  'schemas/workflow.json',
];

/**
 * Makes the application, ready to listen.
 *
 * @param root what it is made of; tests add modules of their own
 */
export async function createApp(
  config: AppConfig,
  root: DynamicModule = AppModule.forRoot(config),
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(root, createHttpAdapter(config), {
    logger: new NestLogger(createLogger(config)),
    bodyParser: false,
    abortOnError: false,
  });
  configureApp(app, config.server.role);
  return app;
}

/** Gives an application its access rules, its routes' prefix and version, and its documents. */
function configureApp(app: NestFastifyApplication, role: ProcessRole): void {
  useRole(app.getHttpAdapter().getInstance(), role);
  useAuthentication(app.getHttpAdapter().getInstance(), app.get(AuthService));
  app.setGlobalPrefix('api', { exclude: ROOT_PATHS.map((path) => ({ path, method: RequestMethod.GET })) });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
  serveOpenApi(app);
  useSockets(app);
}
