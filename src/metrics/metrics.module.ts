import { Module } from '@nestjs/common';

import { RunsModule } from '../runs/runs.module.js';
import { MetricController } from './metric.controller.js';
import { MetricProjection } from './metric-projection.js';
import { MetricService } from './metric.service.js';
import { ProcessMeters } from './process-meters.js';
import { PrometheusController } from './prometheus.controller.js';
import { ServiceMeters } from './service-meters.js';
import { TraceExport } from './trace-export.js';

/** Metrics: counts the log, answers what was counted, tells Prometheus, and sends traces. */
@Module({
  imports: [RunsModule],
  controllers: [MetricController, PrometheusController],
  providers: [MetricProjection, MetricService, ProcessMeters, ServiceMeters, TraceExport],
})
export class MetricsModule {}
