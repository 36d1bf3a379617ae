import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';

import { AppError } from '../../kernel/failure.js';
import type { DtoClass } from './dto.decorator.js';
import { httpErrors } from './http.errors.js';
import { parseDto } from './parse-dto.js';

const NOT_DTOS: readonly unknown[] = [undefined, String, Number, Boolean, Array, Object];

const PLACES = { body: 'the body', query: 'the query', param: 'the path', custom: 'the request' } as const;

/** Checks every body, query and path parameter that a controller takes: DTOs by their class, single texts by themselves. */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (type === 'custom') return value;
    if (NOT_DTOS.includes(metatype)) return this.checkSingle(value, type);
    const result = parseDto(metatype as DtoClass, value);
    if (result.ok) return result.value;
    const issues = result.failure;
    const found = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
    throw AppError.of(httpErrors['request.invalid'], `${found} in ${PLACES[type]}`, { issues });
  }

  private checkSingle(value: unknown, type: 'body' | 'query' | 'param'): unknown {
    if (typeof value === 'string' && value.includes('\0')) {
      throw AppError.of(
        httpErrors['request.invalid'],
        `The character U+0000 is not accepted in ${PLACES[type]}`,
      );
    }
    return value;
  }
}
