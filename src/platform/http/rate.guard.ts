import { Injectable, type ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import {
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';

import { AppError } from '../../kernel/failure.js';
import type { RateConfig } from '../config/app.config.js';
import type { RateCount, RateStore } from '../ports/rate.store.js';
import { httpErrors } from './http.errors.js';
import { RATE_CLASS, type RateClassName } from './rate-class.decorator.js';

const WINDOW_MS = 60_000;

/** The class of a route; one that declares none counts as `write`, so a forgotten declaration is never unlimited. */
export function rateClassOf(reflector: Reflector, context: ExecutionContext): RateClassName | 'none' {
  const declared = reflector.getAllAndOverride<RateClassName | 'none' | undefined>(RATE_CLASS, [
    context.getHandler(),
    context.getClass(),
  ]);
  return declared ?? 'write';
}

/** The limits of the configuration, as the throttler takes them. */
export function throttlerOptions(
  rates: RateConfig,
  store: RateStore,
  reflector: Reflector,
): ThrottlerModuleOptions {
  const limitOf = (context: ExecutionContext): number => {
    const name = rateClassOf(reflector, context);
    return name === 'none' ? 0 : rates[name];
  };
  return {
    throttlers: [
      {
        ttl: WINDOW_MS,
        blockDuration: WINDOW_MS,
        limit: limitOf,
        skipIf: (context) => limitOf(context) === 0,
      },
    ],
    storage: throttlerStorage(store),
    generateKey: (context, caller) => `${rateClassOf(reflector, context)} ${caller}`,
  };
}

/** Counts as the throttler asks for it. */
function throttlerStorage(store: RateStore): ThrottlerStorage {
  return {
    increment: async (key, windowMs, hits) => recordOf(await store.take(key, { hits, windowMs })),
  };
}

function recordOf({ hits, isOver, endsInMs }: RateCount): Awaited<ReturnType<ThrottlerStorage['increment']>> {
  const seconds = Math.max(1, Math.ceil(endsInMs / 1000));
  return {
    totalHits: hits,
    timeToExpire: seconds,
    isBlocked: isOver,
    timeToBlockExpire: isOver ? seconds : 0,
  };
}

/** Limits requests per minute by caller and rate class. A caller is an API key, or an address while there is none. */
@Injectable()
export class RateGuard extends ThrottlerGuard {
  protected override getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.principal?.keyId ?? request.ip);
  }

  protected override throwThrottlingException(
    _: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    const { limit, timeToBlockExpire } = detail;
    throw AppError.of(httpErrors['rate.limited'], `At most ${limit} requests of this kind a minute`, {
      retryAfterMs: timeToBlockExpire * 1000,
    });
  }
}
