import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { VersionQueryDto } from '../../platform/http/dto/versions.dto.js';
import { WORKFLOW_NAME } from '../domain/workflow.js';

/** The query of `GET /workflows`. */
export class WorkflowListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ description: 'Workflows that carry this tag.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly tag?: string;

  @ApiPropertyOptional({ description: 'Part of the name or the description.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly search?: string;
}

/** The query of `GET /workflows/:id/export`. */
export class ExportQueryDto extends VersionQueryDto {
  @ApiPropertyOptional({ enum: ['json', 'yaml'], default: 'json' })
  @IsOptional()
  @IsIn(['json', 'yaml'])
  readonly format?: 'json' | 'yaml';
}

/** The query of `POST /workflows/import`. */
export class ImportQueryDto {
  @ApiPropertyOptional({
    pattern: WORKFLOW_NAME.source,
    description: 'The name of the workflow; by default the one in the definition.',
  })
  @IsOptional()
  @Matches(WORKFLOW_NAME, {
    message: 'name must be 1 to 100 of small letters, digits and . _ -, and not begin with wf_',
  })
  readonly name?: string;
}
