import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import type { Json, JsonObject } from '../kernel/json.js';
import type { StartRequest } from './run.service.js';
import { RunContext, RunInput } from './run-fields.decorator.js';

/** What a start says beside what it is about. */
export class StartOptionsDto {
  @RunInput({ name: 'Ada' })
  readonly input?: Json;

  @RunContext({ locale: 'en' })
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
