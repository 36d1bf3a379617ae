import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';

/** The body of sending a signal. */
export class SignalRunDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What the step that waits for the signal gives as its output; any JSON.',
    example: { tempo: 132 },
    default: null,
  })
  @IsOptional()
  @RawJson()
  readonly data?: Json;
}
