import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';

import type { ErrorType } from '../../kernel/failure.js';
import { RateConfig } from '../config/app.config.js';
import { RateStore } from '../ports/rate.store.js';
import { DtoPipe } from './dto.pipe.js';
import { ErrorCatalogue } from './error.catalogue.js';
import { IdempotencySweep } from './idempotency-sweep.js';
import { OpenApiRegistry } from './openapi.registry.js';
import { ProblemController } from './problem.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { RateGuard, throttlerOptions } from './rate.guard.js';

/** What every route goes through: limits, checked input, problem documents. */
@Global()
@Module({})
export class HttpModule {
  /** @param declarations the error types of every part of the service */
  static forRoot(declarations: readonly Readonly<Record<string, ErrorType>>[]): DynamicModule {
    return {
      module: HttpModule,
      imports: [
        ThrottlerModule.forRootAsync({
          inject: [RateConfig, RateStore, Reflector],
          useFactory: throttlerOptions,
        }),
      ],
      controllers: [ProblemController],
      providers: [
        { provide: ErrorCatalogue, useFactory: () => new ErrorCatalogue(declarations) },
        IdempotencySweep,
        OpenApiRegistry,
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useClass: RateGuard },
        { provide: APP_PIPE, useClass: DtoPipe },
      ],
      exports: [ErrorCatalogue, OpenApiRegistry],
    };
  }
}
