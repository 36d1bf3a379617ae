import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';

import { AppError } from '../kernel/failure.js';
import { RateConfig } from '../platform/config/app.config.js';
import { httpErrors } from '../platform/http/http.errors.js';
import type { RateClassName } from '../platform/http/rate-class.decorator.js';
import type { Admission } from './admission.js';

const WINDOW_MS = 60_000;

/** The limits per minute and caller that requests have, counted together with those: a socket is no way around them. */
@Injectable()
export class CommandRates {
  constructor(
    private readonly rates: RateConfig,
    @Inject(ThrottlerStorage) private readonly windows: ThrottlerStorage,
  ) {}

  /** Counts one command of a class. @throws AppError `rate.limited` */
  async take(rateClass: RateClassName, { principal, address }: Admission): Promise<void> {
    const limit = this.rates[rateClass];
    if (limit === 0) return;
    const key = `${rateClass} ${principal.keyId ?? address}`;
    const { isBlocked, timeToBlockExpire } = await this.windows.increment(
      key,
      WINDOW_MS,
      limit,
      WINDOW_MS,
      'default',
    );
    if (!isBlocked) return;
    throw AppError.of(httpErrors['rate.limited'], `At most ${limit} requests of this kind a minute`, {
      retryAfterMs: timeToBlockExpire * 1000,
    });
  }
}
