import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

import type { Failure } from '../../kernel/failure.js';
import { ToInt } from '../../platform/http/dto.decorator.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { RUN_STATUSES, type RunStatus } from '../../runs/domain/run.status.js';
import type { Fire, FireCause, FireOutcome } from '../domain/fire.js';
import type { ScheduleStatus } from '../domain/schedule.js';
import { INSTANT, IsInstant, isoOrNothing } from '../../platform/http/instant.decorator.js';
import { MAX_NOTE_LENGTH } from './schedule.dto.js';

const OUTCOMES = ['buffered', 'starting', 'started', 'skipped', 'missed', 'failed'] as const;
const STATUSES = ['active', 'paused', 'ended'] as const;

/** The query of `GET /schedules`. */
export class ScheduleListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: STATUSES })
  @IsOptional()
  @IsIn(STATUSES)
  readonly status?: ScheduleStatus;
}

/** The body of `POST /schedules/:id/pause`. */
export class PauseScheduleDto {
  @ApiPropertyOptional({
    maxLength: MAX_NOTE_LENGTH,
    description: 'Why.',
    example: 'until the holidays are over',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly note?: string;
}

/** The body of `POST /schedules/:id/backfill`. */
export class BackfillDto {
  @ApiProperty({ ...INSTANT, description: 'The first instant may be this one.' })
  @IsInstant()
  readonly from!: string;

  @ApiProperty({ ...INSTANT, example: '2026-01-06T00:00:00Z', description: 'The last may be this one.' })
  @IsInstant()
  readonly to!: string;

  @ApiPropertyOptional({
    enum: ['buffer_all', 'allow_all'],
    default: 'buffer_all',
    description: 'One after the other, or all at once.',
  })
  @IsOptional()
  @IsIn(['buffer_all', 'allow_all'])
  readonly overlap?: 'buffer_all' | 'allow_all';
}

/** The query of `GET /schedules/:id/preview`. */
export class PreviewQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 10 })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(100)
  @IsOptional()
  readonly count?: number;
}

/** The next instants. */
export class PreviewDto {
  @ApiProperty({ type: [String], description: 'Without jitter.', example: ['2026-01-05T08:00:00.000Z'] })
  readonly items!: readonly string[];
}

/** The query of `GET /schedules/:id/fires`. */
export class FireListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: OUTCOMES })
  @IsOptional()
  @IsIn(OUTCOMES)
  readonly outcome?: FireOutcome;
}

/** What became of one instant, or of one request beside them. */
export class FireDto {
  @ApiProperty({ enum: ['scheduled', 'triggered', 'backfilled'] })
  readonly cause!: FireCause;

  @ApiProperty({ ...INSTANT, description: 'The instant that it stands for.' })
  readonly scheduledAt!: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description:
      'It stands for every instant up to this one, too: so many were missed that not each is kept.',
  })
  readonly untilAt?: string;

  @ApiProperty({ ...INSTANT, description: 'When it was decided in fact.' })
  readonly firedAt!: string;

  @ApiProperty({
    enum: OUTCOMES,
    description:
      '`buffered`: waits for the run before it; `starting`; `started`: has a run; `skipped` on purpose; `missed`: was ' +
      'later than the window to catch up; `failed`: its run could not be started.',
  })
  readonly outcome!: FireOutcome;

  @ApiPropertyOptional({ description: 'Why it was skipped or missed.' })
  readonly reason?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Why its run could not be started.',
  })
  readonly failure?: Failure;

  @ApiPropertyOptional()
  readonly runId?: string;

  @ApiPropertyOptional({
    enum: RUN_STATUSES,
    description: 'How its run ended; kept only where the schedule waits for that.',
  })
  readonly runStatus?: RunStatus;

  @ApiPropertyOptional({ type: 'integer', description: 'How often its start was tried in vain.' })
  readonly tries?: number;
}

/** The fires of a backfill. */
export class FiresDto {
  @ApiProperty({ type: () => [FireDto] })
  readonly items!: readonly FireDto[];
}

/** A fire as the API shows it. */
export function fireViewOf(fire: Fire): FireDto {
  const { cause, outcome, reason, failure, runId, runStatus, tries } = fire;
  return {
    cause,
    scheduledAt: new Date(fire.scheduledAt).toISOString(),
    ...isoOrNothing('untilAt', fire.untilAt),
    firedAt: new Date(fire.firedAt).toISOString(),
    outcome,
    ...(reason !== undefined && { reason }),
    ...(failure !== undefined && { failure }),
    ...(runId !== undefined && { runId }),
    ...(runStatus !== undefined && { runStatus }),
    ...(tries !== undefined && { tries }),
  };
}
