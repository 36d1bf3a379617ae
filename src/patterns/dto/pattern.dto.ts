import { ApiProperty } from '@nestjs/swagger';

import type { JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { StartOptionsDto } from '../../runs/start-options.dto.js';
import type { WorkflowDefinition } from '../../workflows/domain/definition.schema.js';
import { PATTERN_NAMES } from '../domain/patterns.js';
import { patternExamples } from '../examples.js';

const PARAMETERS = {
  type: 'object',
  additionalProperties: true,
  description: 'What the pattern takes.',
  example: patternExamples.sequential.parameters,
} as const;

/** The body of `POST /orchestrations/:pattern`. The schema of the pattern checks the parameters. */
export class StartPatternDto extends StartOptionsDto {
  @ApiProperty(PARAMETERS)
  @RawJson('object')
  readonly parameters!: JsonObject;
}

/** The body of `POST /orchestrations/:pattern/compile`. */
export class CompilePatternDto {
  @ApiProperty(PARAMETERS)
  @RawJson('object')
  readonly parameters!: JsonObject;
}

/** What a pattern comes to. */
export class CompiledPatternDto {
  @ApiProperty({ enum: PATTERN_NAMES, example: 'sequential' })
  readonly pattern!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'As `POST /runs` and `POST /workflows` take it.',
  })
  readonly definition!: WorkflowDefinition;
}
