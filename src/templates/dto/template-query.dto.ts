import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';

import { ToBoolean, ToInt } from '../../platform/http/dto.decorator.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { LABEL_NAME, MAX_VERSION } from '../domain/template.js';

/** The query of `GET /templates`. */
export class TemplateListQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ description: 'Templates that carry this tag.' })
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

/** Which version; with neither, `production` where that label exists, else `latest`. */
export class TemplateQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly version?: number;

  @ApiPropertyOptional({ description: 'The version that carries it.' })
  @IsOptional()
  @Matches(LABEL_NAME)
  readonly label?: string;
}

/** The query of `GET /templates/:id/diff`. */
export class DiffQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Default: the version before `to`.' })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly from?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Default: the latest version.' })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_VERSION)
  @IsOptional()
  readonly to?: number;
}

/** The query of `DELETE /templates/:id`. */
export class DeleteTemplateQueryDto {
  @ApiPropertyOptional({ default: false, description: 'Delete it even if something refers to it.' })
  @ToBoolean()
  @IsBoolean()
  @IsOptional()
  readonly force?: boolean;
}
