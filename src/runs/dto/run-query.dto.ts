import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsISO8601, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';

import { ToInt } from '../../platform/http/dto.decorator.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { RUN_STATUSES, type RunStatus } from '../domain/run.status.js';

/** The query of `GET /runs`. */
export class RunListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    enum: RUN_STATUSES,
    description: 'Runs of this status; `failed` does not include `timed_out`.',
  })
  @IsOptional()
  @IsIn(RUN_STATUSES)
  readonly status?: RunStatus;

  @ApiPropertyOptional({ description: 'Runs of this stored workflow.' })
  @IsOptional()
  @Matches(/^wf_[a-z0-9_]{1,64}$/)
  readonly workflowId?: string;

  @ApiPropertyOptional({ description: 'Runs that carry this tag.' })
  @IsOptional()
  @MaxLength(64)
  readonly tag?: string;

  @ApiPropertyOptional({ description: 'Created at or after, ISO 8601.' })
  @IsOptional()
  @IsISO8601({ strict: true })
  readonly from?: string;

  @ApiPropertyOptional({ description: 'Created before, ISO 8601.' })
  @IsOptional()
  @IsISO8601({ strict: true })
  readonly to?: string;
}

/** The query of `GET /runs/:id/events`. */
export class EventsQueryDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'Events after this sequence number.',
  })
  @ToInt()
  @IsInt()
  @Min(0)
  @IsOptional()
  readonly afterSeq?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 100,
    description: 'At most this many; JSON only.',
  })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(1_000)
  @IsOptional()
  readonly limit?: number;
}
