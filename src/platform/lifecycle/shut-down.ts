/**
 * How the process ends.
 *
 * Order: not ready, no new connections, drain within the time of grace, close, exit. A second signal ends at once.
 */
import type { Server } from 'node:http';

import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { LifecycleConfig } from '../config/app.config.js';
import { DrainService } from './drain.service.js';

/** Beyond the time of grace: for hooks to hand work back, and for the application to close. */
const HAND_BACK_MS = 2000;
const CLOSE_MS = 2000;
/** Exit codes of a process that a signal ended at once. */
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof EXIT_CODE;

/** Ends the process in good order on SIGTERM and SIGINT, and at once on what nobody caught. */
export function endOnSignals(app: NestFastifyApplication): void {
  const logger = new Logger('Process');
  let isEnding = false;
  const onSignal = (signal: StopSignal): void => {
    if (isEnding) process.exit(EXIT_CODE[signal]);
    isEnding = true;
    logger.log(`${signal}: draining. A second signal ends the process at once`);
    void endInOrder(app, logger);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (err: unknown) => {
      logger.fatal({ err, msg: `The process ends: ${event}` });
      process.exit(1);
    });
  }
}

/** Drains and closes an application. Resolves to whether everything ended in time; takes 4 s beyond the grace at most. */
export async function shutDown(app: NestFastifyApplication): Promise<boolean> {
  const { shutdownGraceMs } = app.get(LifecycleConfig);
  const server: Server = app.getHttpServer();
  const drained = app.get(DrainService).drain(shutdownGraceMs);
  server.close();
  const hasDrained = await endsWithin(drained, shutdownGraceMs + HAND_BACK_MS);
  const closed = app.close();
  const hasClosed = await endsWithin(closed, CLOSE_MS / 2);
  // Streams that are still open would keep the server open.
  server.closeAllConnections();
  return hasDrained && (hasClosed || (await endsWithin(closed, CLOSE_MS / 2)));
}

async function endInOrder(app: NestFastifyApplication, logger: Logger): Promise<void> {
  try {
    if (!(await shutDown(app))) logger.warn('Not everything ended in time');
    process.exit(0);
  } catch (err) {
    logger.fatal({ err, msg: 'The service could not be closed' });
    process.exit(1);
  }
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
