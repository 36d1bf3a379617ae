/**
 * Decorators of DTO fields, beside those of class-validator.
 *
 * Their marks live in class-validator's own records, so that `PartialType` and its kin carry them over.
 */
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateNested } from 'class-validator';

import { isJsonObject } from '../../kernel/json.js';

/** The name of the validator that marks a raw field. */
export const RAW_JSON = 'rawJson';

/** What a raw field takes: any JSON value, or only an object. */
export type RawShape = 'any' | 'object';

/** The class behind a nested field, given late because DTO files may refer to each other. */
export type DtoClass = new () => object;

/** The mark of a nested field, kept as the context of `@ValidateNested`. */
export interface NestedMark {
  readonly nested: () => DtoClass;
  readonly each: boolean;
  /** Elements of a list. */
  readonly max?: number;
}

/**
 * Marks a field that carries a caller's own JSON. It arrives as it was sent, own keys only: no transformation, no
 * check of what is inside. Required unless `@IsOptional()` stands beside it.
 */
export function RawJson(shape: RawShape = 'any'): PropertyDecorator {
  const expected = shape === 'object' ? 'must be a JSON object' : 'must be a JSON value';
  const matches = (value: unknown): boolean =>
    shape === 'object' ? isJsonObject(value) : value !== undefined;
  return ValidateBy({
    name: RAW_JSON,
    constraints: [shape],
    validator: {
      validate: matches,
      defaultMessage: (args) => `${args?.property ?? 'the field'} ${expected}`,
    },
  });
}

/** Marks a field that holds another DTO. Stands in place of `@Type` and `@ValidateNested`. */
export function Nested(nested: () => DtoClass): PropertyDecorator {
  const mark: NestedMark = { nested, each: false };
  return ValidateNested({ context: mark });
}

/**
 * Marks a field that holds a list of DTOs. Stands in place of `@Type` and `@ValidateNested`.
 *
 * @param max elements; a longer list is refused before any is looked at
 */
export function NestedList(nested: () => DtoClass, max?: number): PropertyDecorator {
  const mark: NestedMark = { nested, each: true, ...(max !== undefined && { max }) };
  return ValidateNested({ each: true, context: mark });
}

/** Reads a whole number from the text of a query parameter; other text stays, for `@IsInt()` to refuse. */
export function ToInt(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
  );
}

/** Reads a decimal number from the text of a query parameter; other text stays, for `@IsNumber()` to refuse. */
export function ToNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value,
  );
}

/** Reads `true` or `false` from the text of a query parameter; other text stays, for `@IsBoolean()` to refuse. */
export function ToBoolean(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    value === 'true' || value === 'false' ? value === 'true' : value,
  );
}
