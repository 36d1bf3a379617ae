import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

import { VersionQueryDto } from '../platform/http/dto/versions.dto.js';
import type { DiagramEdge } from './domain/diagram.js';
import type { Layer } from './domain/graph.js';
import { STEP_READERS, type StepKind } from './domain/kinds/step-kinds.js';

const FORMATS = ['json', 'mermaid'] as const;
const FORMAT = {
  enum: FORMATS,
  default: 'json',
  description: '`mermaid`: the text of a flowchart, as `text/plain`.',
};

/** In which form a graph is answered. */
export type GraphFormat = (typeof FORMATS)[number];

/** The query of `GET /runs/:id/graph`. */
export class GraphQueryDto {
  @ApiPropertyOptional(FORMAT)
  @IsOptional()
  @IsIn(FORMATS)
  readonly format?: GraphFormat;
}

/** The query of `GET /workflows/:id/graph`. */
export class WorkflowGraphQueryDto extends VersionQueryDto {
  @ApiPropertyOptional(FORMAT)
  @IsOptional()
  @IsIn(FORMATS)
  readonly format?: GraphFormat;
}

/** A step as it is drawn. */
export class DiagramNodeDto {
  @ApiProperty({ example: 'greet', description: 'The id of the step after those of the loops around it.' })
  readonly id!: string;

  @ApiProperty({ enum: Object.keys(STEP_READERS), example: 'agent' })
  readonly kind!: StepKind;

  @ApiPropertyOptional({ example: 'scripted', description: 'The agent that it calls.' })
  readonly agent?: string;

  @ApiPropertyOptional({ description: 'The loop in whose body it stands, by its id.' })
  readonly parent?: string;

  @ApiPropertyOptional({
    type: [String],
    enum: ['items', 'iterations'],
    description: 'What it is carried out for, from the outside in.',
  })
  readonly layers?: readonly Layer[];

  @ApiPropertyOptional({ description: 'True for a step that runs when the end of the run is decided.' })
  readonly finally?: true;
}

/** What waits for what. */
export class DiagramEdgeDto implements DiagramEdge {
  @ApiProperty({ example: 'greet' })
  readonly from!: string;

  @ApiProperty({ example: 'shout' })
  readonly to!: string;

  @ApiProperty({
    enum: ['after', 'catch'],
    description: '`after`: it waits for the other. `catch`: it runs when the other has failed.',
    example: 'after',
  })
  readonly kind!: DiagramEdge['kind'];
}

/** The graph of a definition. */
export class DiagramDto {
  @ApiProperty({
    type: () => [DiagramNodeDto],
    description: 'In the order of the definition, a loop before the steps of its body.',
  })
  readonly nodes!: readonly DiagramNodeDto[];

  @ApiProperty({ type: () => [DiagramEdgeDto] })
  readonly edges!: readonly DiagramEdgeDto[];
}
