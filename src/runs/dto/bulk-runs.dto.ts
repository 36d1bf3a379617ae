import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';

import { Nested } from '../../platform/http/dto.decorator.js';
import { BULK_ACTIONS, type BulkAction } from '../run-bulk.service.js';
import { RunListQueryDto } from './run-query.dto.js';

/** Which runs: the filters of `GET /runs`. */
export class BulkFilterDto extends OmitType(RunListQueryDto, ['limit', 'cursor'] as const) {}

/** The body of dealing with many runs. */
export class BulkRunsDto {
  @ApiProperty({ enum: BULK_ACTIONS, example: 'cancel' })
  @IsIn(BULK_ACTIONS)
  readonly action!: BulkAction;

  @ApiProperty({ type: () => BulkFilterDto, description: 'Which runs; the filters of `GET /runs`.' })
  @IsDefined()
  @Nested(() => BulkFilterDto)
  readonly filter!: BulkFilterDto;

  @ApiPropertyOptional({ description: 'Only count what matches.', default: false, example: true })
  @IsOptional()
  @IsBoolean()
  readonly dryRun?: boolean;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 500,
    default: 100,
    description: 'How many runs are dealt with at most.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(500)
  readonly limit?: number;

  @ApiPropertyOptional({ description: 'Go on where an answer ended: its `nextCursor`.' })
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  readonly cursor?: string;

  @ApiPropertyOptional({ description: 'Why; recorded with the events.', example: 'the provider was down' })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}

/** A run that did not take the action. */
export class BulkRefusalDto {
  @ApiProperty()
  readonly runId!: string;

  @ApiProperty({ example: 'run.not-retryable' })
  readonly code!: string;

  @ApiProperty()
  readonly message!: string;
}

/** What was done. */
export class BulkAnswerDto {
  @ApiProperty({ enum: BULK_ACTIONS })
  readonly action!: BulkAction;

  @ApiProperty({ example: true })
  readonly dryRun!: boolean;

  @ApiProperty({
    type: 'integer',
    description: 'Runs that match and that the action means something to, as far as they were looked at.',
    example: 2,
  })
  readonly matched!: number;

  @ApiProperty({ type: [String], description: 'Ids of the runs that took the action.' })
  readonly done!: readonly string[];

  @ApiProperty({ type: () => [BulkRefusalDto] })
  readonly refused!: readonly BulkRefusalDto[];

  @ApiPropertyOptional({ description: 'Present when there may be more.' })
  readonly nextCursor?: string;
}
