import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional, IsString, MaxLength } from 'class-validator';

/** The body of pausing and cancelling; it may be left out. */
export class ControlRunDto {
  @ApiPropertyOptional({ description: 'Why; recorded with the event.', example: 'not needed any more' })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}

/** The body of cancelling; it may be left out. */
export class CancelRunDto extends ControlRunDto {
  @ApiPropertyOptional({
    description:
      'Whether what completed steps have done is undone by their `compensate` before the run ends.',
    default: false,
    example: false,
  })
  @IsOptional()
  @IsBoolean()
  readonly compensate?: boolean;
}
