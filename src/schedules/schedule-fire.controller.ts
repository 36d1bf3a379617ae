import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { scheduleErrors } from './domain/schedule.errors.js';
import {
  BackfillDto,
  FireDto,
  FireListQueryDto,
  FiresDto,
  fireViewOf,
  PreviewDto,
  PreviewQueryDto,
} from './dto/fire.dto.js';
import { EXAMPLE_SCHEDULE } from './examples.js';
import { ScheduleService } from './schedule.service.js';

const SCHEDULE_ID = { name: 'id', example: EXAMPLE_SCHEDULE } as const;
const DEFAULT_PREVIEW = 10;

/** Fires: those to come, those that were, and those that a person asks for. */
@ApiTags('Schedules')
@Controller('schedules/:id')
export class ScheduleFireController {
  constructor(private readonly schedules: ScheduleService) {}

  @Post('trigger')
  @HttpCode(202)
  @RateClass('start')
  @Idempotent()
  @ApiOperation({
    summary: 'Fire now',
    description: 'Beside its rule and under its overlap policy, paused or not.',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiAcceptedResponse({ type: FireDto, description: 'What became of it; kept.' })
  @ApiProblems(scheduleErrors['schedule.not-found'], scheduleErrors['schedule.contended'])
  async trigger(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<FireDto> {
    return fireViewOf(await this.schedules.trigger(namespace, id));
  }

  @Post('backfill')
  @HttpCode(202)
  @RateClass('start')
  @Idempotent()
  @ApiOperation({
    summary: 'Fire for a time gone by',
    description:
      'For every instant of the span that has started no run yet, missed and skipped ones included; at most 1,000. ' +
      'Asked twice, it fires once.',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiAcceptedResponse({ type: FiresDto, description: 'The fires that it made.' })
  @ApiProblems(
    scheduleErrors['schedule.not-found'],
    scheduleErrors['schedule.backfill-too-large'],
    scheduleErrors['schedule.contended'],
  )
  async backfill(
    @Param('id') id: string,
    @Body() { from, to, overlap = 'buffer_all' }: BackfillDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<FiresDto> {
    const span = { from: Date.parse(from), to: Date.parse(to), overlap };
    return { items: (await this.schedules.backfill(namespace, id, span)).map(fireViewOf) };
  }

  @Get('preview')
  @RateClass('read')
  @ApiOperation({
    summary: 'Show when it fires next',
    description: 'Without jitter; for a paused schedule, as if it were resumed now.',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiOkResponse({ type: PreviewDto })
  @ApiProblems(scheduleErrors['schedule.not-found'])
  async preview(
    @Param('id') id: string,
    @Query() { count = DEFAULT_PREVIEW }: PreviewQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<PreviewDto> {
    const instants = await this.schedules.preview(namespace, id, count);
    return { items: instants.map((instant) => new Date(instant).toISOString()) };
  }

  @Get('fires')
  @RateClass('read')
  @ApiOperation({
    summary: 'List what became of its instants, latest first',
    description: 'Kept as long as runs are (`RUN_RETENTION_DAYS`).',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiPage(FireDto, 'Fires, latest instant first')
  @ApiProblems(scheduleErrors['schedule.not-found'])
  async fires(
    @Param('id') id: string,
    @Query() { outcome, limit, cursor }: FireListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<FireDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const filter = { ...(outcome !== undefined && { outcome }) };
    const { items, ...rest } = await this.schedules.fires(namespace, id, filter, page);
    return { ...rest, items: items.map(fireViewOf) };
  }
}
