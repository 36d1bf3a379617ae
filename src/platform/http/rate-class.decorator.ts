import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

import type { RateConfig } from '../config/app.config.js';

/** What a request costs the service; each class has its own limit. */
export type RateClassName = keyof RateConfig;

/** Where a route's rate class is kept. */
export const RATE_CLASS = 'ensemble:rate-class';

/** Declares the rate class of a route, or of all routes of a controller. */
export function RateClass(name: RateClassName): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(RATE_CLASS, name), ApiExtension('x-rate-class', name));
}

/** Exempts a route from limits: health, and what describes the service. */
export function WithoutRateLimit(): MethodDecorator & ClassDecorator {
  return SetMetadata(RATE_CLASS, 'none');
}
