import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsNumber,
  IsOptional,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';

import { microsFromUsd } from '../../kernel/money.js';
import { ToBoolean, ToInt, ToNumber } from '../../platform/http/dto.decorator.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { RUN_STATUSES, type RunStatus } from '../domain/run.status.js';
import type { RunFilter } from '../run.catalogue.js';

/** More than any run costs, and exact in micro-dollars. */
const MAX_COST_USD = 1_000_000_000;

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

  @ApiPropertyOptional({ description: 'Sub-runs of this run: the work of its `workflow` steps.' })
  @IsOptional()
  @Matches(/^run_[0-9a-f]{32}$/)
  readonly parentId?: string;

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

  @ApiPropertyOptional({
    description: 'Runs that failed with this code, as a whole.',
    example: 'run.timed-out',
  })
  @IsOptional()
  @MaxLength(200)
  readonly errorCode?: string;

  @ApiPropertyOptional({ description: 'Runs that failed with this text somewhere in the message.' })
  @IsOptional()
  @Length(1, 200)
  readonly errorText?: string;

  @ApiPropertyOptional({
    type: 'number',
    minimum: 0,
    description: 'Runs that cost at least this, US dollars.',
  })
  @ToNumber()
  @IsNumber()
  @Min(0)
  @Max(MAX_COST_USD)
  @IsOptional()
  readonly minCostUsd?: number;

  @ApiPropertyOptional({
    type: 'number',
    minimum: 0,
    description: 'Runs that cost at most this, US dollars.',
  })
  @ToNumber()
  @IsNumber()
  @Min(0)
  @Max(MAX_COST_USD)
  @IsOptional()
  readonly maxCostUsd?: number;
}

/** The query of `GET /runs/export`. */
export class RunExportQueryDto extends OmitType(RunListQueryDto, ['limit', 'cursor']) {}

/** The filter that a query means. */
export function runFilterOf(query: RunExportQueryDto): RunFilter {
  const { status, workflowId, parentId, tag, errorCode, errorText, from, to, minCostUsd, maxCostUsd } = query;
  return {
    ...(status !== undefined && { status }),
    ...(workflowId !== undefined && { workflowId }),
    ...(parentId !== undefined && { parentId }),
    ...(tag !== undefined && { tag }),
    ...(errorCode !== undefined && { errorCode }),
    ...(errorText !== undefined && { errorText }),
    ...(from !== undefined && { from: Date.parse(from) }),
    ...(to !== undefined && { to: Date.parse(to) }),
    ...(minCostUsd !== undefined && { minCostMicros: microsFromUsd(minCostUsd) }),
    ...(maxCostUsd !== undefined && { maxCostMicros: microsFromUsd(maxCostUsd) }),
  };
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

/** The query of `GET /runs/:id/artifacts/:name`. */
export class ArtifactQueryDto {
  @ApiPropertyOptional({ default: false, description: 'True: a browser saves it instead of showing it.' })
  @ToBoolean()
  @IsBoolean()
  @IsOptional()
  readonly download?: boolean;
}
