import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { ClockIndicator } from './clock.indicator.js';
import { DrainIndicator } from './drain.indicator.js';
import { HealthController } from './health.controller.js';
import { HealthRegistry } from './health.registry.js';
import { HealthService } from './health.service.js';
import { ProbeController } from './probe.controller.js';
import { RecordIndicator } from './record.indicator.js';

/** Whether the service is alive, ready and well. Global, so that every feature can register an indicator. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, ProbeController],
  providers: [ClockIndicator, DrainIndicator, HealthRegistry, HealthService, RecordIndicator],
  exports: [HealthRegistry],
})
export class HealthModule {}
