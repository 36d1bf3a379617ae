import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';

import type { Json, JsonObject } from '../kernel/json.js';
import { RawJson } from '../platform/http/dto.decorator.js';

/** The field of a request that is the input of a run. */
export function RunInput(example?: Json): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      description: 'What the steps read as `input`; any JSON.',
      ...(example !== undefined && { example }),
      default: {},
      type: 'object',
      additionalProperties: true,
    }),
    IsOptional(),
    RawJson(),
  );
}

/** The field of a request that is laid over the context that a run begins with. */
export function RunContext(example?: JsonObject): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: true,
      description: "Laid over the definition's context, key by key.",
      ...(example && { example }),
    }),
    IsOptional(),
    RawJson('object'),
  );
}
