import { ArrayMaxSize, IsArray, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';

/** The payload of `run.start`: as the body of `POST /runs`, which a test holds it to. */
export class StartCommandDto {
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @IsOptional()
  @RawJson('object')
  readonly workflow?: JsonObject;

  @IsOptional()
  @RawJson()
  readonly input?: Json;

  @IsOptional()
  @RawJson('object')
  readonly context?: JsonObject;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  readonly priority?: number;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @Matches(/^[\w.:/-]{1,64}$/, { each: true, message: 'tags must be 1 to 64 of letters, digits, . _ : / -' })
  readonly tags?: string[];
}
