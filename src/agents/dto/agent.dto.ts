import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import type { AgentHealth } from '../agent.provider.js';
import type { AgentUsage } from '../domain/usage.js';

const STATUSES = ['available', 'degraded', 'offline'] as const;

/** A registered agent. */
export class AgentDto {
  @ApiProperty({ description: 'Unique slug; what steps name.', example: 'scripted' })
  readonly key!: string;

  @ApiProperty({ description: 'The provider that does the work.', example: 'scripted' })
  readonly kind!: string;

  @ApiProperty({ example: 'Answers `output` after `delayMs`, fails as told.' })
  readonly description!: string;

  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  readonly settings!: JsonObject;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly version!: number;

  @ApiProperty({ description: 'Comes with the service and can not be deleted.', example: true })
  readonly isBuiltIn!: boolean;

  @ApiProperty({ enum: STATUSES })
  readonly status!: AgentHealth['status'];

  @ApiPropertyOptional({ description: 'Why it is not available, and what to do.' })
  readonly statusReason?: string;
}

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
    description: 'Milliseconds.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly timeoutMs?: number;
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
