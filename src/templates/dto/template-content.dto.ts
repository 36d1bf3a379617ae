import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMinSize,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
} from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { NestedList, RawJson } from '../../platform/http/dto.decorator.js';
import {
  CHAT_ROLES,
  VARIABLE_NAME,
  VARIABLE_TYPES,
  type ChatRole,
  type TemplateKind,
  type VariableType,
} from '../domain/template.js';
import { exampleContent, exampleVariables } from '../examples.js';

const MAX_MESSAGES = 500;
const MAX_VARIABLES = 1_000;

/** One member of a chat template: a message, or the place of a list of messages. */
export class TemplateMessageDto {
  @ApiPropertyOptional({ enum: CHAT_ROLES, description: 'Who speaks; with `content`.', example: 'user' })
  @IsOptional()
  @IsIn(CHAT_ROLES)
  readonly role?: ChatRole;

  @ApiPropertyOptional({ description: 'A template; with `role`.', example: '{{ question }}' })
  @IsOptional()
  @IsString()
  readonly content?: string;

  @ApiPropertyOptional({ description: 'Instead of both: the variable whose list of messages stands here.' })
  @IsOptional()
  @Matches(VARIABLE_NAME)
  readonly placeholder?: string;
}

/** One declared variable. */
export class TemplateVariableDto {
  @ApiProperty({ pattern: VARIABLE_NAME.source, example: 'tone' })
  @Matches(VARIABLE_NAME)
  readonly name!: string;

  @ApiProperty({
    enum: VARIABLE_TYPES,
    description: '`messages` is a list of `{ role, content }`.',
    example: 'string',
  })
  @IsIn(VARIABLE_TYPES)
  readonly type!: VariableType;

  @ApiPropertyOptional({ description: 'Whether a value must be given. True unless there is a `default`.' })
  @IsOptional()
  @IsBoolean()
  readonly required?: boolean;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The value where none is given; any JSON.',
  })
  @IsOptional()
  @RawJson()
  readonly default?: Json;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  readonly description?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'JSON Schema (draft 2020-12) that a value must satisfy, beside the type.',
  })
  @IsOptional()
  @RawJson('object')
  readonly schema?: JsonObject;
}

/** The text of a template with its variables. */
export class TemplateContentDto {
  @ApiPropertyOptional({
    enum: ['text', 'chat'],
    description: 'Follows from what is given: `content` makes a text, `messages` a chat.',
  })
  @IsOptional()
  @IsIn(['text', 'chat'])
  readonly kind?: TemplateKind;

  @ApiPropertyOptional({
    description: 'The text of a text template, in Liquid; at most 256 KiB.',
    example: exampleContent,
  })
  @IsOptional()
  @IsString()
  @MinLength(1)
  readonly content?: string;

  @ApiPropertyOptional({
    type: () => [TemplateMessageDto],
    maxItems: MAX_MESSAGES,
    description: 'The messages of a chat template in order; together at most 256 KiB.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @NestedList(() => TemplateMessageDto, MAX_MESSAGES)
  readonly messages?: TemplateMessageDto[];

  @ApiPropertyOptional({
    type: () => [TemplateVariableDto],
    maxItems: MAX_VARIABLES,
    description:
      'Declared variables. Others that the text uses need a value, too, unless it gives a default.',
    example: exampleVariables,
  })
  @IsOptional()
  @NestedList(() => TemplateVariableDto, MAX_VARIABLES)
  readonly variables?: TemplateVariableDto[];
}
