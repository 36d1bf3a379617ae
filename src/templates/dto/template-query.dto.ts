import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQueryDto } from '../../platform/http/dto/page.dto.js';

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
