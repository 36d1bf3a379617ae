import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

/** The body of pausing and cancelling; it may be left out. */
export class ControlRunDto {
  @ApiPropertyOptional({ description: 'Why; recorded with the event.', example: 'not needed any more' })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}
