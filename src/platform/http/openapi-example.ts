/**
 * The example of a request body: what Swagger UI puts into the form, and what our tests send as it stands.
 *
 * Decided here: a body is made of the examples and defaults of its fields, and of no other field. Left to itself,
 * Swagger UI invents a value for every field, of which few are taken.
 */
import type { OpenAPIObject } from '@nestjs/swagger';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type SchemaOrReference = Schemas[string];
type Schema = Exclude<SchemaOrReference, { readonly $ref: string }>;

/** The example of an object with the fields that have one; an empty object when none has. */
export function exampleOf(schema: SchemaOrReference, schemas: Schemas): unknown {
  return valueOf(schema, schemas) ?? {};
}

function valueOf(schema: SchemaOrReference, schemas: Schemas): unknown {
  const { properties = {}, ...rest } = resolve(schema, schemas);
  const values: readonly unknown[] = [rest.example, rest.default];
  const value = values.find((one) => one !== undefined);
  if (value !== undefined) return value;
  const fields = Object.entries(properties)
    .map(([name, field]) => [name, valueOf(field, schemas)] as const)
    .filter(([, value]) => value !== undefined);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** The schema itself, where a name or a wrapper around a name stands for it. */
function resolve(schema: SchemaOrReference, schemas: Schemas): Schema {
  if ('$ref' in schema) {
    const named = schemas[schema.$ref.split('/').at(-1) ?? ''];
    return named === undefined ? {} : resolve(named, schemas);
  }
  const [only, another] = schema.allOf ?? [];
  const isWrapper = only !== undefined && another === undefined && schema.example === undefined;
  return isWrapper ? resolve(only, schemas) : schema;
}
