/** The whole application on a folder and a port of its own, for tests that speak to it as a user does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { AppModule } from '../../src/app.module.js';
import { createApp } from '../../src/app.js';
import type { AppConfig } from '../../src/platform/config/app.config.js';
import { parseConfig, type Environment } from '../../src/platform/config/config.schema.js';

/** What a test wants otherwise than the default. */
export interface AppOverrides {
  /** Environment variables over those of a quiet application on a free port. */
  readonly env?: Environment;
  /** Modules beside those of the product. */
  readonly imports?: readonly (Type | DynamicModule)[];
  /** A folder that outlives this application, so that another one can go on with it. */
  readonly dataDir?: string;
}

export interface RunningApp {
  /** `http://127.0.0.1:<port>` without a slash at the end. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Stops the application, and removes its folder unless the test gave it. */
  readonly close: () => Promise<void>;
}

@Module({})
class TestRoot {}

/** Starts the application; whoever starts it closes it. */
export async function startApp(overrides: AppOverrides = {}): Promise<RunningApp> {
  const dataDir = overrides.dataDir ?? makeDataDir();
  const config = testConfig({ DATA_DIR: dataDir, ...overrides.env });
  const root = { module: TestRoot, imports: [AppModule.forRoot(config), ...(overrides.imports ?? [])] };
  const app = await createApp(config, root);
  await app.listen(config.server.port, config.server.host);
  const close = async (): Promise<void> => {
    await app.close();
    if (overrides.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  return { url: (await app.getUrl()).replace('localhost', '127.0.0.1'), app, close };
}

/** A configuration that says nothing and listens on a free port. */
export function testConfig(env: Environment = {}): AppConfig {
  const result = parseConfig({ PORT: '0', LOG_LEVEL: 'silent', ...env });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

/** An empty folder for one application. */
export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'ensemble-test-'));
}
