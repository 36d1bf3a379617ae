/** Instants on the wire: ISO 8601 with a zone, so that nobody has to guess whose clock is meant. */
import { isISO8601, ValidateBy } from 'class-validator';

export const INSTANT = { format: 'date-time', example: '2026-01-05T00:00:00Z' };

const FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** Marks a field that holds an instant. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (value) =>
        typeof value === 'string' && FORM.test(value) && isISO8601(value, { strict: true }),
      defaultMessage: (args) =>
        `${args?.property ?? 'the field'} must be a time with its zone, as 2026-01-31T09:00:00Z`,
    },
  });
}

/** A member that holds an instant, or nothing where there is none. */
export function isoOrNothing<K extends string>(
  name: K,
  instantMs: number | undefined,
): { readonly [key in K]?: string } {
  if (instantMs === undefined) return {};
  return { [name]: new Date(instantMs).toISOString() } as { readonly [key in K]: string };
}
