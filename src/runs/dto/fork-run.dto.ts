import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, IsString, Length, Min } from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { Nested, RawJson } from '../../platform/http/dto.decorator.js';

/** Which entries of the manifest are resolved anew. */
export class ForkUpgradeDto {
  @ApiPropertyOptional({
    type: [String],
    description: "References to agents, as the run's manifest names them.",
    example: ['echo'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  readonly agents?: string[];

  @ApiPropertyOptional({
    type: [String],
    description: "Steps whose templates are meant, as the run's manifest names them.",
    example: [],
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  readonly templates?: string[];
}

/** The body of a fork; it may be left out. */
export class ForkRunDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'The number of the last event that counts. By default the last one of the run.',
    example: 3,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  readonly atSeq?: number;

  @ApiPropertyOptional({
    description: 'Begin before this step, item or iteration, in place of `atSeq`.',
    example: 'shout',
  })
  @IsOptional()
  @IsString()
  @Length(1, 1_000)
  readonly atStep?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: "In place of the run's input; any JSON.",
    example: { name: 'Grace' },
  })
  @IsOptional()
  @RawJson()
  readonly input?: Json;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'A merge patch (RFC 7396) of the context as it was at that event.',
    example: { locale: 'fr' },
  })
  @IsOptional()
  @RawJson('object')
  readonly context?: JsonObject;

  @ApiPropertyOptional({ type: () => ForkUpgradeDto, description: 'Versions that are resolved anew.' })
  @IsOptional()
  @Nested(() => ForkUpgradeDto)
  readonly upgrade?: ForkUpgradeDto;
}
