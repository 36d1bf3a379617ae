import { Controller, Get, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';

import { Public } from '../platform/auth/public.decorator.js';
import { WithoutRateLimit } from '../platform/http/rate-class.decorator.js';
import { LivenessDto, ReadinessDto } from './dto/health.dto.js';
import { HealthService } from './health.service.js';

/** For load balancers and orchestrators of containers: no key, no limit. */
@ApiTags('Health')
@WithoutRateLimit()
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class ProbeController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @Public()
  @ApiOperation({ summary: 'Is the process alive?' })
  @ApiOkResponse({ type: LivenessDto })
  live(): LivenessDto {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  @ApiOperation({ summary: 'May the process be sent requests?' })
  @ApiOkResponse({ type: ReadinessDto, description: 'Every indicator is up' })
  @ApiServiceUnavailableResponse({ type: ReadinessDto, description: 'An indicator is down' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    const result = await this.health.check();
    if (result.status !== 'ok') void reply.status(503).header('retry-after', '1');
    return result;
  }
}
