import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Matches, Max, Min, MinLength } from 'class-validator';

import type { JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { LABEL_NAME, MAX_VERSION, type ChatMessage, type TemplateKind } from '../domain/template.js';
import type { TokenEstimate } from '../domain/token-estimate.js';
import { exampleContent, exampleValues } from '../examples.js';
import { TemplateContentDto, TemplateMessageDto } from './template-content.dto.js';

/** The body of `POST /templates/:id/render`. */
export class RenderTemplateDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Values by name; any JSON. Put in once: braces in a value stay text.',
    example: exampleValues,
    default: {},
  })
  @IsOptional()
  @RawJson('object')
  readonly variables?: JsonObject;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Without it and a label: `production`, else `latest`.',
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

/** The body of `POST /templates/render`: a content that is not stored, with values. */
export class RenderContentDto extends OmitType(TemplateContentDto, ['variables', 'content'] as const) {
  @ApiPropertyOptional({ description: 'A text, in Liquid; at most 256 KiB.', example: exampleContent })
  @IsOptional()
  @IsString()
  @MinLength(1)
  readonly content?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Values by name; any JSON.',
    example: { ...exampleValues, tone: 'warm' },
    default: {},
  })
  @IsOptional()
  @RawJson('object')
  readonly variables?: JsonObject;
}

export class TokenEstimateDto {
  @ApiProperty({ type: 'integer', example: 12 })
  readonly tokens!: number;

  @ApiProperty({
    enum: ['chars-div-4'],
    description: 'How it was made: characters divided by 4, rounded up. No tokeniser of any model.',
  })
  readonly estimator!: TokenEstimate['estimator'];
}

export class RenderedTemplateRefDto {
  @ApiProperty()
  readonly id!: string;

  @ApiProperty()
  readonly name!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiPropertyOptional({ description: 'The label that led to the version.', example: 'production' })
  readonly label?: string;
}

/** A rendering. */
export class RenderedTemplateDto {
  @ApiPropertyOptional({
    type: () => RenderedTemplateRefDto,
    description: 'What was rendered; absent for a content that is not stored.',
  })
  readonly template?: RenderedTemplateRefDto;

  @ApiProperty({ enum: ['text', 'chat'] })
  readonly kind!: TemplateKind;

  @ApiPropertyOptional({ description: 'Of a text.' })
  readonly text?: string;

  @ApiPropertyOptional({ type: () => [TemplateMessageDto], description: 'Of a chat.' })
  readonly messages?: readonly ChatMessage[];

  @ApiProperty({
    type: [String],
    description: 'Variables that the template reads and that had a value, a default included.',
  })
  readonly usedVariables!: readonly string[];

  @ApiProperty({
    type: [String],
    description: 'Variables that it reads, that had none and that it can do without.',
  })
  readonly missingVariables!: readonly string[];

  @ApiProperty({ type: () => TokenEstimateDto })
  readonly tokenEstimate!: TokenEstimateDto;
}
