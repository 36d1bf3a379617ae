import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { AGENT_STATUSES, type AgentStatus } from '../domain/agent-status.js';

/** The query of `GET /agents`. */
export class AgentListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ description: 'Agents of this kind.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly kind?: string;

  @ApiPropertyOptional({ enum: AGENT_STATUSES, description: 'Agents that are so now.' })
  @IsOptional()
  @IsIn(AGENT_STATUSES)
  readonly status?: AgentStatus;

  @ApiPropertyOptional({ description: 'Agents with a capability of this name.' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  readonly capability?: string;

  @ApiPropertyOptional({ description: 'Agents that carry this tag.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly tag?: string;

  @ApiPropertyOptional({ description: 'Part of the key, the name or the description.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly search?: string;
}
