import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public } from '../platform/auth/public.decorator.js';
import { WithoutRateLimit } from '../platform/http/rate-class.decorator.js';
import { productVersion } from '../platform/lifecycle/product-version.js';
import document from './asyncapi.json' with { type: 'json' };

/** Serves the description of live events: AsyncAPI 3, made from the typed contract by scripts/write-asyncapi.mjs. */
@ApiExcludeController()
@WithoutRateLimit()
@Controller({ path: 'asyncapi.json', version: VERSION_NEUTRAL })
export class AsyncApiController {
  @Get()
  @Public()
  get(): object {
    return { ...document, info: { ...document.info, version: productVersion() } };
  }
}
