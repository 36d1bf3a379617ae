import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { isoOf } from '../kernel/time.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import type { Range } from './domain/grain.js';
import { metricErrors } from './domain/metric.errors.js';
import { askedRangeOf, MetricRangeQueryDto, TimeSeriesQueryDto } from './dto/metric-query.dto.js';
import {
  AgentMetricsDto,
  SummaryDto,
  TemplateMetricsDto,
  TimeSeriesDto,
  WorkflowMetricsDto,
} from './dto/metric.dto.js';
import { MetricService } from './metric.service.js';

@ApiTags('Metrics')
@ApiProblems(metricErrors['metrics.range-invalid'])
@Controller('metrics')
export class MetricController {
  constructor(private readonly metrics: MetricService) {}

  @Get('summary')
  @RateClass('read')
  @ApiOperation({
    summary: 'Figures of all runs and attempts',
    description:
      'Counted from the log within a second. A start counts when it started, an end when it ended, tokens and cost ' +
      'when they were spent.',
  })
  @ApiOkResponse({ type: SummaryDto })
  async summary(
    @Query() query: MetricRangeQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<SummaryDto> {
    return withInstants(await this.metrics.summary(namespace, askedRangeOf(query)));
  }

  @Get('workflows/:id')
  @RateClass('read')
  @ApiOperation({ summary: 'Figures of a workflow, by version and by step' })
  @ApiParam({
    name: 'id',
    example: 'greet',
    description: 'The id of a stored workflow, or the name of definitions that were sent with their runs.',
  })
  @ApiOkResponse({ type: WorkflowMetricsDto })
  async workflow(
    @Param('id') id: string,
    @Query() query: MetricRangeQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<WorkflowMetricsDto> {
    return withInstants(await this.metrics.workflow(namespace, id, askedRangeOf(query)));
  }

  @Get('agents/:id')
  @RateClass('read')
  @ApiOperation({ summary: 'Figures of an agent' })
  @ApiParam({ name: 'id', example: 'echo', description: 'The key of the agent.' })
  @ApiOkResponse({ type: AgentMetricsDto })
  async agent(
    @Param('id') id: string,
    @Query() query: MetricRangeQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<AgentMetricsDto> {
    return withInstants(await this.metrics.agent(namespace, id, askedRangeOf(query)));
  }

  @Get('templates/:id')
  @RateClass('read')
  @ApiOperation({ summary: 'Figures of the attempts whose input a template gave, by version' })
  @ApiParam({
    name: 'id',
    example: 'tpl_00000000000070008000000000000001',
    description: 'The id of the template.',
  })
  @ApiOkResponse({ type: TemplateMetricsDto })
  async template(
    @Param('id') id: string,
    @Query() query: MetricRangeQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<TemplateMetricsDto> {
    return withInstants(await this.metrics.template(namespace, id, askedRangeOf(query)));
  }

  @Get('timeseries')
  @RateClass('read')
  @ApiOperation({ summary: 'One figure over time' })
  @ApiOkResponse({ type: TimeSeriesDto })
  async timeSeries(
    @Query() query: TimeSeriesQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<TimeSeriesDto> {
    const { metric = 'started', groupBy = 'runs', interval = 'hour' } = query;
    const asked = { metric, dimension: groupBy, interval, ...askedRangeOf(query) };
    const { series, ...range } = withInstants(await this.metrics.timeSeries(namespace, asked));
    return {
      ...{ metric, groupBy, interval, ...range },
      series: series.map(({ key, parent, points }) => ({
        key,
        ...(parent !== '' && { parent }),
        points: points.map(({ at, value }) => ({ at: isoOf(at), value })),
      })),
    };
  }
}

function withInstants<T extends Range>(counted: T): Omit<T, 'from' | 'to'> & { from: string; to: string } {
  return { ...counted, from: isoOf(counted.from), to: isoOf(counted.to) };
}
