import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

import { IdempotencyInterceptor } from './idempotency.interceptor.js';

/** Makes a route answer a repeated `Idempotency-Key` with its first answer. */
export function Idempotent(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Makes the request safe to repeat for 24 hours: the same key with the same request gets the first answer ' +
        'again, with `Idempotent-Replayed: true`. 1 to 255 visible characters.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}
