import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { RateClass } from '../platform/http/rate-class.decorator.js';
import { HealthDto } from './dto/health.dto.js';
import { HealthService, type HealthSummary } from './health.service.js';

@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'How is the service?' })
  @ApiOkResponse({ type: HealthDto })
  get(): Promise<HealthSummary> {
    return this.health.summary();
  }
}
