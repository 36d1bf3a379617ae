import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

import type { JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { WORKFLOW_NAME } from '../domain/workflow.js';
import { exampleNewWorkflow, exampleWorkflow } from '../examples.js';

const MAX_TAGS = 20;
const MAX_NOTE_LENGTH = 500;

const TAGS = {
  type: 'array',
  items: { type: 'string' },
  maxItems: MAX_TAGS,
  description: 'To find the workflow by; each 1 to 64 of letters, digits and `._:/-`.',
} as const;
const NOTE = { maxLength: MAX_NOTE_LENGTH, description: 'Why; kept with the version.' };

/** The body of `POST /workflows`. */
export class CreateWorkflowDto {
  @ApiPropertyOptional({
    pattern: WORKFLOW_NAME.source,
    description:
      "Unique in the namespace, never changed; by default the definition's own name. Workflows can be addressed by it " +
      'in place of the id.',
    example: 'welcome-again',
  })
  @IsOptional()
  @Matches(WORKFLOW_NAME, {
    message: 'name must be 1 to 100 of small letters, digits and . _ -, and not begin with wf_',
  })
  readonly name?: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The definition; kept as it is sent. `/schemas/workflow.json` describes it.',
    example: exampleNewWorkflow,
  })
  @RawJson('object')
  readonly definition!: JsonObject;

  @ApiPropertyOptional({ ...TAGS, example: ['greetings'] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];

  @ApiPropertyOptional({ ...NOTE, example: 'first draft' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}

/** The body of `PUT /workflows/:id`. What is left out stays as it is. */
export class UpdateWorkflowDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The whole next definition; its name, where it has one, is that of the workflow.',
    example: { ...exampleWorkflow, timeoutMs: 60_000 },
  })
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @ApiPropertyOptional({ ...TAGS, example: ['example', 'greetings'] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];

  @ApiPropertyOptional({ ...NOTE, example: 'ends after a minute' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NOTE_LENGTH)
  readonly changeNote?: string;
}
