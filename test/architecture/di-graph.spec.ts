/** What each class asks for in its constructor can be given to it: a type import of an injected class fails only here. */
import { rmSync } from 'node:fs';

import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';

import { AppModule } from '../../src/app.module.js';
import { RunEngine } from '../../src/runs/engine/run.engine.js';
import { RunStore } from '../../src/runs/run.store.js';
import type { Environment } from '../../src/platform/config/config.schema.js';
import { makeDataDir, testConfig } from '../support/app.js';
import { describeWithPostgres } from '../support/services.js';

let context: INestApplicationContext | undefined;
let dataDir: string;

beforeEach(() => {
  dataDir = makeDataDir();
});

afterEach(async () => {
  await context?.close();
  context = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

/** The application with everything made and nothing begun. */
async function compile(env: Environment = {}): Promise<INestApplicationContext> {
  const root = AppModule.forRoot(testConfig({ DATA_DIR: dataDir, ...env }));
  context = await Test.createTestingModule({ imports: [root] }).compile();
  return context;
}

/** Classes and ports that are part of the application and were not made. */
function notMade(application: INestApplicationContext): readonly string[] {
  const modules = [...application.get(ModulesContainer).values()];
  return modules.flatMap(({ providers, controllers, name }) =>
    [...providers.values(), ...controllers.values()]
      .filter(({ token, instance }) => typeof token === 'function' && !(instance instanceof Object))
      .map((wrapper) => `${name}: ${String(wrapper.name)}`),
  );
}

function expectWhole(application: INestApplicationContext): void {
  expect(notMade(application)).toEqual([]);
  expect(application.get(RunEngine, { strict: false })).toBeInstanceOf(RunEngine);
  expect(application.get(RunStore, { strict: false })).toBeInstanceOf(RunStore);
}

it('is whole on SQLite', async () => {
  expectWhole(await compile());
});

it('leaves nothing behind when it is closed before it began', async () => {
  const first = await compile();
  await first.close();
  context = undefined;

  expectWhole(await compile()); // the lock of the folder is free again
});

describeWithPostgres('on PostgreSQL', (url) => {
  it('is whole', async () => {
    expectWhole(await compile({ DATABASE_URL: url }));
  });
});
