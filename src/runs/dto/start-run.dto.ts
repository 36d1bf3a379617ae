import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import type { JsonObject } from '../../kernel/json.js';
import { LABEL_NAME } from '../../kernel/versions.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { EXAMPLE_WORKFLOW } from '../../workflows/examples.js';
import { exampleDefinition } from '../examples.js';
import { StartOptionsDto } from '../start-options.dto.js';

const MAX_VERSION = 999_999_999;

/** A stored workflow and one of its versions. The engine's side checks it, for sockets, too. */
export class WorkflowReferenceDto {
  @ApiPropertyOptional({ description: 'Its id; or else `name`.', example: EXAMPLE_WORKFLOW })
  readonly id?: string;

  @ApiPropertyOptional()
  readonly name?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Without it and a label: `production` where that label exists, else `latest`.',
  })
  readonly version?: number;

  @ApiPropertyOptional({ description: 'The version that carries it.' })
  readonly label?: string;
}

/** The body of `POST /runs`: exactly one of `definition` and `workflow`. */
export class StartRunDto extends StartOptionsDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The definition to run: steps, what they depend on, their inputs and limits.',
    example: exampleDefinition,
  })
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @ApiPropertyOptional({
    type: () => WorkflowReferenceDto,
    description: 'A stored workflow to run, in place of a definition: `{ id | name, version | label }`.',
  })
  @IsOptional()
  @RawJson('object')
  readonly workflow?: JsonObject;
}

/** The body of `POST /workflows/:id/runs`. */
export class StartWorkflowRunDto extends StartOptionsDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Without it and a label: `production` where that label exists, else `latest`.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  readonly version?: number;

  @ApiPropertyOptional({ description: 'The version that carries it.', example: 'production' })
  @IsOptional()
  @Matches(LABEL_NAME)
  readonly label?: string;
}
