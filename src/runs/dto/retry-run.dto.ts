import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Length } from 'class-validator';

import { ControlRunDto } from './control-run.dto.js';

/** The body of a retry; it may be left out. */
export class RetryRunDto extends ControlRunDto {
  @ApiPropertyOptional({
    description:
      'From which step, item (`parts[2]`), iteration (`polish[3]`) or step of an iteration (`polish[3]/check`) on ' +
      'everything runs again, though it has completed. By default from where the run failed.',
    example: 'greet',
  })
  @IsOptional()
  @IsString()
  @Length(1, 1_000)
  readonly fromStep?: string;
}
