import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { LABEL_NAME } from '../../kernel/versions.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import type { AgentUsage } from '../domain/usage.js';

/** The body of `POST /agents/:id/execute`. */
export class ExecuteAgentDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What the agent gets; any JSON.',
    default: {},
    example: { output: { text: 'Hello' }, delayMs: 20 },
  })
  @IsOptional()
  @RawJson()
  readonly input?: Json;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 600_000,
    default: 60_000,
    description: 'Milliseconds, the wait for a place included.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly timeoutMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Without it and a label: `production`, else `latest`.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(999_999_999)
  readonly version?: number;

  @ApiPropertyOptional({ description: 'The version that carries it.' })
  @IsOptional()
  @Matches(LABEL_NAME)
  readonly label?: string;
}

/** What one call gave. */
export class AgentResultDto {
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Any JSON.' })
  readonly output!: Json;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, description: 'Tokens.' })
  readonly usage!: AgentUsage;

  @ApiProperty({ description: 'US dollars.', example: 0 })
  readonly costUsd!: number;
}
