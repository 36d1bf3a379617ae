import { Controller, Get, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { RateClass } from '../platform/http/rate-class.decorator.js';
import { ProcessMeters } from './process-meters.js';
import { ServiceMeters } from './service-meters.js';

/** Needs a key once there is one: figures name workflows and agents of every namespace. */
@ApiTags('Metrics')
@Controller({ path: 'metrics', version: VERSION_NEUTRAL })
export class PrometheusController {
  constructor(
    private readonly meters: ServiceMeters,
    private readonly process: ProcessMeters,
  ) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'Everything that Prometheus scrapes' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' }, description: 'The text format of Prometheus.' })
  async read(@Res() reply: FastifyReply): Promise<void> {
    const { text, contentType } = await this.meters.read();
    await reply.type(contentType).send(`${text}\n${await this.process.read()}`);
  }
}
