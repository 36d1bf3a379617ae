import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';

import { RATE_CLASS } from '../../src/platform/http/rate-class.decorator.js';
import { startApp, type RunningApp } from '../support/app.js';

/** Routes that may go without a limit. */
const EXEMPT = ['AsyncApiController', 'ProbeController', 'ProblemController', 'WorkflowSchemaController'];

interface Route {
  readonly name: string;
  readonly controller: string;
  readonly rateClass: unknown;
}

describe('rate classes', () => {
  let running: RunningApp;
  let routes: readonly Route[];

  beforeAll(async () => {
    running = await startApp({ imports: [DiscoveryModule] });
    routes = routesOf(running);
  }, 60_000);

  afterAll(() => running.close());

  it('are declared by every route', () => {
    expect(routes.length).toBeGreaterThan(0);
    expect(routes.filter(({ rateClass }) => rateClass === undefined).map(({ name }) => name)).toEqual([]);
  });

  it('are left out by health and descriptions only', () => {
    const exempt = routes.filter(({ rateClass }) => rateClass === 'none').map(({ controller }) => controller);

    expect([...new Set(exempt)].toSorted()).toEqual(EXEMPT);
  });
});

function routesOf({ app }: RunningApp): readonly Route[] {
  const scanner = new MetadataScanner();
  return app
    .get(DiscoveryService)
    .getControllers()
    .flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, object>;
      const handlers = scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        return handler !== undefined && Reflect.hasMetadata(METHOD_METADATA, handler)
          ? [{ name, handler }]
          : [];
      });
      return handlers.map(({ name, handler }) => ({
        name: `${metatype.name}.${name}`,
        controller: metatype.name,
        rateClass: (Reflect.getMetadata(RATE_CLASS, handler) ??
          Reflect.getMetadata(RATE_CLASS, metatype)) as unknown,
      }));
    });
}
