import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { acceptedVersionsOf, ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { workflowErrors } from '../workflows/domain/workflow.errors.js';
import { scheduleErrors } from './domain/schedule.errors.js';
import type { Schedule } from './domain/schedule.js';
import { PauseScheduleDto, ScheduleListQueryDto } from './dto/fire.dto.js';
import {
  CreateScheduleDto,
  ScheduleDto,
  scheduleViewOf,
  WriteScheduleDto,
  writtenOf,
} from './dto/schedule.dto.js';
import { EXAMPLE_OLD_SCHEDULE, EXAMPLE_SCHEDULE } from './examples.js';
import { ScheduleService, type ScheduleEdit } from './schedule.service.js';

const SCHEDULE_ID = { name: 'id', example: EXAMPLE_SCHEDULE } as const;

const INVALID = [
  scheduleErrors['schedule.invalid'],
  workflowErrors['workflow.not-found'],
  workflowErrors['workflow.version-not-found'],
  workflowErrors['workflow.label-not-found'],
  definitionErrors['definition.invalid'],
  definitionErrors['input.invalid'],
];

@ApiTags('Schedules')
@Controller('schedules')
export class ScheduleController {
  constructor(private readonly schedules: ScheduleService) {}

  @Post()
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Create a schedule',
    description:
      'Starts runs by a cron expression in a time zone, or at an interval. What it runs must be able to start now.',
  })
  @ApiCreatedResponse({ type: ScheduleDto, description: '`Location` leads to the schedule.' })
  @ApiProblems(...INVALID)
  async create(
    @Body() body: CreateScheduleDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleDto> {
    const paused = body.paused === true ? { ...(body.note !== undefined && { note: body.note }) } : undefined;
    const schedule = await this.schedules.create(namespace, writtenOf(body), { ...(paused && { paused }) });
    void reply.header('Location', `/api/v1/schedules/${schedule.id}`);
    return answer(schedule, reply);
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List schedules, newest first' })
  @ApiPage(ScheduleDto, 'Schedules, newest first')
  async list(
    @Query() { status, limit, cursor }: ScheduleListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<ScheduleDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const filter = { ...(status !== undefined && { status }) };
    const { items, ...rest } = await this.schedules.list(namespace, filter, page);
    return { ...rest, items: items.map(scheduleViewOf) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'Read a schedule' })
  @ApiParam(SCHEDULE_ID)
  @ApiOkResponse({ type: ScheduleDto })
  @ApiProblems(scheduleErrors['schedule.not-found'])
  async get(
    @Param('id') id: string,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleDto> {
    return answer(await this.schedules.get(namespace, id), reply);
  }

  @Put(':id')
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Say anew what a schedule is',
    description:
      'What is left out has its default. With another rule it fires from now on; paused it stays paused.',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiOkResponse({ type: ScheduleDto })
  @ApiProblems(scheduleErrors['schedule.not-found'], ...INVALID, scheduleErrors['schedule.contended'])
  async replace(
    @Param('id') id: string,
    @Body() body: WriteScheduleDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleDto> {
    return answer(await this.schedules.replace(editOf(id, principal, request), writtenOf(body)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({ summary: 'Delete a schedule and the record of its fires', description: 'Its runs go on.' })
  @ApiParam({ ...SCHEDULE_ID, example: EXAMPLE_OLD_SCHEDULE })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(scheduleErrors['schedule.not-found'])
  async delete(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<void> {
    await this.schedules.delete(namespace, id);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({ summary: 'Pause a schedule', description: 'Nothing fires by its rule; runs go on.' })
  @ApiParam(SCHEDULE_ID)
  @ApiOkResponse({ type: ScheduleDto })
  @ApiProblems(scheduleErrors['schedule.not-found'], scheduleErrors['schedule.contended'])
  async pause(
    @Param('id') id: string,
    @Body() { note }: PauseScheduleDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleDto> {
    return answer(await this.schedules.pause(editOf(id, principal, request), note), reply);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Resume a paused schedule',
    description: 'It fires from the next instant on. What passed meanwhile can be made up for by a backfill.',
  })
  @ApiParam(SCHEDULE_ID)
  @ApiOkResponse({ type: ScheduleDto })
  @ApiProblems(scheduleErrors['schedule.not-found'], scheduleErrors['schedule.contended'])
  async resume(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScheduleDto> {
    return answer(await this.schedules.resume(editOf(id, principal, request)), reply);
  }
}

function editOf(id: string, { namespace }: Principal, request: FastifyRequest): ScheduleEdit {
  const accepted = acceptedVersionsOf(request);
  return { namespace, id, ...(accepted !== undefined && { accepted }) };
}

function answer(schedule: Schedule, reply: FastifyReply): ScheduleDto {
  void reply.header('ETag', entityTagOf(schedule.version));
  return scheduleViewOf(schedule);
}
