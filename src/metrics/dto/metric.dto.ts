import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { Grain } from '../domain/grain.js';
import type { MetricName } from '../domain/report.js';
import type { Dimension } from '../domain/series.js';

const count = { type: 'integer', minimum: 0, example: 3 } as const;
const milliseconds = { type: 'number', minimum: 0, example: 52.5 } as const;

/** How long something took, in milliseconds. */
export class DurationsDto {
  @ApiProperty({ ...count, description: 'How many were measured.' })
  readonly count!: number;

  @ApiPropertyOptional({ ...milliseconds, description: 'The average, exact; absent where there is none.' })
  readonly avg?: number;

  @ApiPropertyOptional({ ...milliseconds, description: 'Half took no longer; within 2 %.' })
  readonly p50?: number;

  @ApiPropertyOptional({ ...milliseconds, description: '95 % took no longer; within 2 %.' })
  readonly p95?: number;

  @ApiPropertyOptional({ ...milliseconds, description: '99 % took no longer; within 2 %.' })
  readonly p99?: number;
}

/** Tokens. */
export class TokensDto {
  @ApiProperty({ ...count, example: 1200 })
  readonly inputTokens!: number;

  @ApiProperty({ ...count, example: 340 })
  readonly outputTokens!: number;
}

/** What is said of runs and attempts alike. */
export class ReportDto {
  @ApiProperty({ ...count, description: 'Begun in the range: runs created, attempts started.' })
  readonly started!: number;

  @ApiProperty({ ...count, description: 'Ended well in the range.' })
  readonly completed!: number;

  @ApiProperty({
    ...count,
    example: 0,
    description: 'Ended badly: runs, or attempts that no other followed.',
  })
  readonly failed!: number;

  @ApiProperty({ ...count, example: 0 })
  readonly cancelled!: number;

  @ApiPropertyOptional({
    type: 'number',
    minimum: 0,
    maximum: 1,
    example: 1,
    description: 'Completed among those that completed, failed or timed out; absent where there is none.',
  })
  readonly successRate?: number;

  @ApiProperty({ ...count, example: 0, description: 'Attempts that failed and that another followed.' })
  readonly retries!: number;

  @ApiProperty({ type: DurationsDto, description: 'From start to end.' })
  readonly durationMs!: DurationsDto;

  @ApiProperty({ type: TokensDto, description: 'Spent in the range.' })
  readonly usage!: TokensDto;

  @ApiProperty({
    type: 'number',
    minimum: 0,
    example: 0.0042,
    description: 'Spent in the range, US dollars.',
  })
  readonly costUsd!: number;
}

export class RunReportDto extends ReportDto {
  @ApiProperty({ ...count, example: 0, description: 'Not counted as failed.' })
  readonly timedOut!: number;

  @ApiProperty({ type: DurationsDto, description: 'From creation to the first start.' })
  readonly queueMs!: DurationsDto;
}

export class AttemptReportDto extends ReportDto {
  @ApiProperty({ ...count, example: 0, description: 'Steps that did not run.' })
  readonly skipped!: number;

  @ApiProperty({
    ...count,
    example: 0,
    description: 'Attempts whose process went away; they were made again.',
  })
  readonly interrupted!: number;
}

export class KeyedRunReportDto extends RunReportDto {
  @ApiProperty({ example: '1', description: 'The number of the version.' })
  readonly key!: string;
}

export class KeyedAttemptReportDto extends AttemptReportDto {
  @ApiProperty({ example: 'greet', description: 'The id of the step, or the number of the version.' })
  readonly key!: string;
}

/** The range that was counted: what was asked for, widened to whole minutes, hours or days, as they are kept. */
export class CountedRangeDto {
  @ApiProperty({
    format: 'date-time',
    example: '2026-01-15T10:00:00.000Z',
    description: 'From this instant on.',
  })
  readonly from!: string;

  @ApiProperty({
    format: 'date-time',
    example: '2026-01-16T10:00:00.000Z',
    description: 'Before this instant.',
  })
  readonly to!: string;
}

/** Reads of one cache by this process since it began. */
export class CacheCountDto {
  @ApiProperty({ example: 'templates' })
  readonly cache!: string;

  @ApiProperty(count)
  readonly hits!: number;

  @ApiProperty(count)
  readonly misses!: number;
}

export class SummaryDto extends CountedRangeDto {
  @ApiProperty({ type: RunReportDto })
  readonly runs!: RunReportDto;

  @ApiProperty({ type: AttemptReportDto, description: 'Attempts of the steps of runs.' })
  readonly attempts!: AttemptReportDto;

  @ApiProperty({ type: [CacheCountDto], description: 'Of this process, since it began, whatever the range.' })
  readonly caches!: readonly CacheCountDto[];
}

export class WorkflowMetricsDto extends CountedRangeDto {
  @ApiProperty({ example: 'greet' })
  readonly id!: string;

  @ApiProperty({ type: RunReportDto })
  readonly runs!: RunReportDto;

  @ApiProperty({
    type: [KeyedRunReportDto],
    description: 'By version; empty for definitions that are not stored.',
  })
  readonly versions!: readonly KeyedRunReportDto[];

  @ApiProperty({ type: [KeyedAttemptReportDto], description: 'Attempts by step, over all versions.' })
  readonly steps!: readonly KeyedAttemptReportDto[];
}

export class AgentMetricsDto extends CountedRangeDto {
  @ApiProperty({ example: 'echo' })
  readonly id!: string;

  @ApiProperty({ type: AttemptReportDto })
  readonly attempts!: AttemptReportDto;
}

export class TemplateMetricsDto extends AgentMetricsDto {
  @ApiProperty({ type: [KeyedAttemptReportDto], description: 'By version.' })
  readonly versions!: readonly KeyedAttemptReportDto[];
}

/** One figure at one time. */
export class PointDto {
  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:00:00.000Z', description: 'Where it begins.' })
  readonly at!: string;

  @ApiProperty({ type: 'number', example: 12 })
  readonly value!: number;
}

export class SeriesDto {
  @ApiProperty({ example: 'greet', description: 'Empty where all are counted together.' })
  readonly key!: string;

  @ApiPropertyOptional({
    example: 'wf_example',
    description: 'The workflow or template that the key belongs to.',
  })
  readonly parent?: string;

  @ApiProperty({
    type: [PointDto],
    description: 'In order of time; there is no point where there is nothing.',
  })
  readonly points!: readonly PointDto[];
}

export class TimeSeriesDto extends CountedRangeDto {
  @ApiProperty({ type: 'string', example: 'started' })
  readonly metric!: MetricName;

  @ApiProperty({ type: 'string', example: 'workflow' })
  readonly groupBy!: Dimension;

  @ApiProperty({ type: 'string', enum: ['minute', 'hour', 'day'], example: 'hour' })
  readonly interval!: Grain;

  @ApiProperty({ type: [SeriesDto], description: 'The 50 in which most was started; the rest is `(other)`.' })
  readonly series!: readonly SeriesDto[];
}
