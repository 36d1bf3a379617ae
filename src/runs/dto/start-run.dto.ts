import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { LABEL_NAME } from '../../kernel/versions.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { EXAMPLE_WORKFLOW } from '../../workflows/examples.js';
import { exampleDefinition } from '../examples.js';
import type { StartRequest } from '../run.service.js';

const MAX_VERSION = 999_999_999;

/** What a start says beside what it is about. */
export class StartOptionsDto {
  @ApiPropertyOptional({
    description: 'What the steps read as `input`; any JSON.',
    example: { name: 'Ada' },
    default: {},
    type: 'object',
    additionalProperties: true,
  })
  @IsOptional()
  @RawJson()
  readonly input?: Json;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: "Laid over the definition's context, key by key.",
    example: { locale: 'en' },
  })
  @IsOptional()
  @RawJson('object')
  readonly context?: JsonObject;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 50,
    description: 'Higher first.',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  readonly priority?: number;

  @ApiPropertyOptional({
    type: [String],
    description: 'To find the run by; at most 20, each 1 to 64 of letters, digits and `._:/-`.',
    example: ['tour'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];
}

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

/** What a body asks for. */
export function startRequestOf(
  { input, context, priority, tags }: StartOptionsDto,
  subject: Pick<StartRequest, 'definition' | 'workflow'>,
  caller: Pick<StartRequest, 'namespace' | 'idempotency'>,
): StartRequest {
  return {
    ...caller,
    ...subject,
    ...(input === undefined ? {} : { input }),
    ...(context === undefined ? {} : { context }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags }),
  };
}
