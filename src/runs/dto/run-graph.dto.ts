import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { DiagramEdgeDto, DiagramNodeDto } from '../../workflows/diagram.dto.js';
import type { StatusCounts } from '../domain/run-graph.js';
import { RUN_STATUSES, STEP_STATUSES, type RunStatus, type StepStatus } from '../domain/run.status.js';

const COUNTS = { type: 'object', additionalProperties: { type: 'integer' } } as const;

/** A step of a run as it is drawn. */
export class RunGraphNodeDto extends DiagramNodeDto {
  @ApiProperty({
    enum: STEP_STATUSES,
    description: 'Of a step in a body: in the last iteration that has begun.',
    example: 'completed',
  })
  readonly status!: StepStatus;

  @ApiPropertyOptional({
    ...COUNTS,
    description: 'Of a step in a body: how often it is in each status, over all iterations.',
  })
  readonly times?: StatusCounts;

  @ApiPropertyOptional({
    ...COUNTS,
    description: 'How many of its items or iterations that have begun are in each status.',
  })
  readonly holds?: StatusCounts;
}

/** The graph of a run. */
export class RunGraphDto {
  @ApiProperty({ enum: RUN_STATUSES, example: 'completed' })
  readonly status!: RunStatus;

  @ApiProperty({ type: 'integer', description: 'The last event that the graph has in it.', example: 6 })
  readonly lastSeq!: number;

  @ApiProperty({
    type: () => [RunGraphNodeDto],
    description: 'In the order of the definition, a loop before the steps of its body.',
  })
  readonly nodes!: readonly RunGraphNodeDto[];

  @ApiProperty({ type: () => [DiagramEdgeDto] })
  readonly edges!: readonly DiagramEdgeDto[];
}
