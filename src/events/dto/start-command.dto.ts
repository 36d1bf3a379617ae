import { IsOptional, IsString, MaxLength } from 'class-validator';

import type { JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { StartOptionsDto } from '../../runs/start-options.dto.js';

/** The payload of `run.start`: as the body of `POST /runs`, which a test holds it to. */
export class StartCommandDto extends StartOptionsDto {
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @IsOptional()
  @RawJson('object')
  readonly workflow?: JsonObject;
}

/** The payload of `orchestration.start`. */
export class OrchestrationCommandDto extends StartOptionsDto {
  @IsString()
  @MaxLength(100)
  readonly pattern!: string;

  @RawJson('object')
  readonly parameters!: JsonObject;
}
