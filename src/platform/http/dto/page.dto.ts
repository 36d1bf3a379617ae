import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

import { DEFAULT_PAGE_LIMIT, MAX_PAGE_LIMIT } from '../../../kernel/page.js';
import { ToInt } from '../dto.decorator.js';

/** The query of every list. */
export class PageQueryDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'How many items at most',
    minimum: 1,
    maximum: MAX_PAGE_LIMIT,
    default: DEFAULT_PAGE_LIMIT,
  })
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_LIMIT)
  readonly limit: number = DEFAULT_PAGE_LIMIT;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before; absent for the first page' })
  @IsString()
  @Matches(/^[A-Za-z0-9_-]{1,512}$/, { message: 'cursor must be a nextCursor of this list' })
  @IsOptional()
  readonly cursor?: string;
}
