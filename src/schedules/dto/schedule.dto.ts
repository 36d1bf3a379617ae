import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { Nested, RawJson } from '../../platform/http/dto.decorator.js';
import { DEFAULT_TIMEZONE } from '../domain/rule.js';
import {
  OVERLAPS,
  statusOf,
  type Overlap,
  type Schedule,
  type ScheduledRun,
  type ScheduleStatus,
} from '../domain/schedule.js';
import { exampleScheduledRun } from '../examples.js';
import type { WrittenSchedule } from '../schedule.service.js';
import { INSTANT, IsInstant, isoOrNothing } from '../../platform/http/instant.decorator.js';
import { RunContext, RunInput } from '../../runs/run-fields.decorator.js';

const YEAR_MS = 366 * 86_400_000;
const DAY_MS = 86_400_000;
const DEFAULT_CATCH_UP_MS = 3_600_000;
export const MAX_NOTE_LENGTH = 500;

/** What each fire starts: exactly one of `definition` and `workflow`. */
export class ScheduledRunDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The definition to run.',
  })
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'A stored workflow: `{ id | name, version | label }`. What a label means is found out at each fire.',
  })
  @IsOptional()
  @RawJson('object')
  readonly workflow?: JsonObject;

  @RunInput()
  readonly input?: Json;

  @RunContext()
  readonly context?: JsonObject;

  @ApiPropertyOptional({
    type: [String],
    maxItems: 20,
    description: 'Of each run, beside `schedule:<id>`; each 1 to 64 of letters, digits and `._:/-`.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: readonly string[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 50,
    description: 'Higher first.',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  readonly priority?: number;
}

/** The body of `PUT /schedules/:id`: all of it anew; what is left out has its default. */
export class WriteScheduleDto {
  @ApiProperty({ minLength: 1, maxLength: 100, example: 'weekday mornings' })
  @IsString()
  @Length(1, 100)
  readonly name!: string;

  @ApiPropertyOptional({
    description:
      'Minute, hour, day of month, month, day of week; with six fields, seconds first. Or `intervalMs`. A day matches ' +
      'when both day fields do, or either of them where both are restricted.',
    maxLength: 200,
    example: '0 9 * * 1-5',
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly cron?: string;

  @ApiPropertyOptional({
    description:
      'IANA name of the zone that `cron` is read in. What a day does not have because clocks are set forward fires when ' +
      'they are set; what it has twice fires the first time. An expression that means every hour follows elapsed time.',
    maxLength: 100,
    default: DEFAULT_TIMEZONE,
    example: 'Europe/Berlin',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  readonly timezone?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1000,
    maximum: YEAR_MS,
    description: 'Milliseconds between fires, counted from `startAt`, else from when the schedule was made.',
  })
  @IsOptional()
  @IsInt()
  @Min(1000)
  @Max(YEAR_MS)
  readonly intervalMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: DAY_MS,
    default: 0,
    description: 'Each fire is late by up to this, so that not everything starts at once.',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(DAY_MS)
  readonly jitterMs?: number;

  @ApiPropertyOptional({ ...INSTANT, description: 'Nothing fires before.' })
  @IsOptional()
  @IsInstant()
  readonly startAt?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Nothing fires after.' })
  @IsOptional()
  @IsInstant()
  readonly endAt?: string;

  @ApiPropertyOptional({
    enum: OVERLAPS,
    default: 'skip',
    description:
      'What a fire does while a run of this schedule has not ended: `skip` itself; `buffer_one`, wait if none waits; ' +
      '`buffer_all`, wait in line; `cancel_other`, cancel that run and take its place; `allow_all`, start beside it.',
  })
  @IsOptional()
  @IsIn(OVERLAPS)
  readonly overlap?: Overlap;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: YEAR_MS,
    default: DEFAULT_CATCH_UP_MS,
    description: 'How late a fire may be, because the service was down, and still start its run.',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(YEAR_MS)
  readonly catchUpWindowMs?: number;

  @ApiPropertyOptional({
    default: false,
    description: 'Pause when a run fails, times out or can not be started.',
  })
  @IsOptional()
  @IsBoolean()
  readonly pauseOnFailure?: boolean;

  @ApiProperty({ type: () => ScheduledRunDto, example: exampleScheduledRun })
  @Nested(() => ScheduledRunDto)
  readonly run!: ScheduledRunDto;
}

/** The body of `POST /schedules`. */
export class CreateScheduleDto extends WriteScheduleDto {
  @ApiPropertyOptional({ default: false, description: 'Fire nothing until it is resumed.' })
  @IsOptional()
  @IsBoolean()
  readonly paused?: boolean;

  @ApiPropertyOptional({ maxLength: MAX_NOTE_LENGTH, description: 'Why it is paused.' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly note?: string;
}

/** A schedule as the API shows it. */
export class ScheduleDto extends WriteScheduleDto {
  @ApiProperty({ example: 'sch_00000000000070008000000000000001' })
  readonly id!: string;

  @ApiProperty({ type: 'integer', description: 'Counts changes that people made; for `If-Match`.' })
  readonly version!: number;

  @ApiProperty({ enum: ['active', 'paused', 'ended'], description: '`ended`: nothing is left to fire.' })
  readonly status!: ScheduleStatus;

  @ApiPropertyOptional({ format: 'date-time' })
  readonly pausedAt?: string;

  @ApiPropertyOptional({ description: 'Why it is paused.' })
  readonly note?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'The instant that fires next, without jitter.' })
  readonly nextAt?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'The last instant that was decided.' })
  readonly lastAt?: string;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;

  @ApiProperty({ format: 'date-time', description: 'When a person changed it last.' })
  readonly updatedAt!: string;
}

/** What a body asks for. */
export function writtenOf(dto: WriteScheduleDto): WrittenSchedule {
  const { name, cron, timezone, intervalMs, jitterMs = 0, startAt, endAt, run } = dto;
  return {
    name,
    rule: {
      ...(cron !== undefined && { cron }),
      ...(timezone !== undefined && { timezone }),
      ...(intervalMs !== undefined && { intervalMs }),
      ...(startAt !== undefined && { startAt: Date.parse(startAt) }),
      ...(endAt !== undefined && { endAt: Date.parse(endAt) }),
      jitterMs,
    },
    policy: {
      jitterMs,
      overlap: dto.overlap ?? 'skip',
      catchUpWindowMs: dto.catchUpWindowMs ?? DEFAULT_CATCH_UP_MS,
      pauseOnFailure: dto.pauseOnFailure ?? false,
    },
    run: runOf(run),
  };
}

/** Plain, without what was not sent: so equal runs have equal JSON. */
function runOf({ definition, workflow, input, context, tags, priority }: ScheduledRunDto): ScheduledRun {
  return {
    ...(definition !== undefined && { definition }),
    ...(workflow !== undefined && { workflow }),
    ...(input !== undefined && { input }),
    ...(context !== undefined && { context }),
    ...(tags !== undefined && { tags }),
    ...(priority !== undefined && { priority }),
  };
}

/** A schedule as the API shows it. */
export function scheduleViewOf(schedule: Schedule): ScheduleDto {
  const { id, name, version, rule, policy, run, paused } = schedule;
  return {
    ...{ id, name, version, status: statusOf(schedule) },
    ...(rule.kind === 'cron'
      ? { cron: rule.cron, timezone: rule.timezone }
      : { intervalMs: rule.intervalMs }),
    ...isoOrNothing('startAt', rule.startAt),
    ...isoOrNothing('endAt', rule.endAt),
    ...policy,
    run,
    ...isoOrNothing('pausedAt', paused?.at),
    ...(paused?.note !== undefined && { note: paused.note }),
    ...isoOrNothing('nextAt', schedule.nextAt),
    ...isoOrNothing('lastAt', schedule.lastAt),
    createdAt: new Date(schedule.createdAt).toISOString(),
    updatedAt: new Date(schedule.updatedAt).toISOString(),
  };
}
