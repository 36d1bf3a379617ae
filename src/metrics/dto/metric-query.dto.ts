import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsISO8601, IsOptional } from 'class-validator';

import { GRAINS, type Grain } from '../domain/grain.js';
import { METRIC_NAMES, type MetricName } from '../domain/report.js';
import type { AskedRange } from '../domain/range.js';
import { ATTEMPT_DIMENSIONS, RUN_DIMENSIONS, type Dimension } from '../domain/series.js';

const DIMENSIONS: readonly Dimension[] = [...RUN_DIMENSIONS, ...ATTEMPT_DIMENSIONS];

/** The range of time of a question. */
export class MetricRangeQueryDto {
  @ApiPropertyOptional({
    format: 'date-time',
    description: 'From this instant on, ISO 8601. Default: a day before `to`.',
  })
  @IsOptional()
  @IsISO8601({ strict: true })
  readonly from?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Before this instant, ISO 8601. Default: now.' })
  @IsOptional()
  @IsISO8601({ strict: true })
  readonly to?: string;
}

/** The query of `GET /metrics/timeseries`. */
export class TimeSeriesQueryDto extends MetricRangeQueryDto {
  @ApiPropertyOptional({ enum: METRIC_NAMES, default: 'started', description: 'Which figure.' })
  @IsOptional()
  @IsIn(METRIC_NAMES)
  readonly metric?: MetricName;

  @ApiPropertyOptional({
    enum: DIMENSIONS,
    default: 'runs',
    description:
      'What it is counted by. Runs: `runs` (all together), `workflow`, `workflow_version`, `tag`. Attempts: ' +
      '`attempts` (all together), `step`, `agent`, `model`, `template`, `template_version`.',
  })
  @IsOptional()
  @IsIn(DIMENSIONS)
  readonly groupBy?: Dimension;

  @ApiPropertyOptional({
    enum: GRAINS,
    default: 'hour',
    description:
      'The length of a point: a minute (kept for 48 h by default), an hour (90 days), a day (3 years).',
  })
  @IsOptional()
  @IsIn(GRAINS)
  readonly interval?: Grain;
}

/** The range as instants. */
export function askedRangeOf({ from, to }: MetricRangeQueryDto): AskedRange {
  return {
    ...(from !== undefined && { from: Date.parse(from) }),
    ...(to !== undefined && { to: Date.parse(to) }),
  };
}
