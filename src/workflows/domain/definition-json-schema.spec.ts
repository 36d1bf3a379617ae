import { Ajv2020 } from 'ajv/dist/2020.js';

import { getOwn, isJsonObject, type Json, type JsonObject } from '../../kernel/json.js';
import { definitionJsonSchema } from './definition-json-schema.js';
import { definitionSchema } from './definition.schema.js';

/** Every field of a schema, dotted, with its description. */
function fieldsOf(
  schema: Json,
  path = '',
): readonly (readonly [path: string, description: Json | undefined])[] {
  if (Array.isArray(schema)) return schema.flatMap((member: Json) => fieldsOf(member, path));
  if (!isJsonObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key !== 'properties' || !isJsonObject(value))
      return fieldsOf(value, key === '$defs' ? '$defs' : path);
    return Object.entries(value).flatMap(([name, field]) => [
      [`${path}.${name}`, getOwn(field as JsonObject, 'description')] as const,
      ...fieldsOf(field, `${path}.${name}`),
    ]);
  });
}

describe('the published schema of a definition', () => {
  const schema = definitionJsonSchema();
  const isValid = new Ajv2020({ strict: false }).compile(schema);

  it('describes every field', () => {
    const fields = fieldsOf(schema);

    expect(fields.map(([path]) => path)).toEqual(expect.arrayContaining(['.steps', '.retry.maxAttempts']));
    expect(fields.filter(([, description]) => typeof description !== 'string').map(([path]) => path)).toEqual(
      [],
    );
  });

  it('tells the fields of steps from those of the definition', () => {
    const descriptions = new Map(fieldsOf(schema).map(([path, description]) => [path, description]));

    expect(descriptions.get('.timeoutMs')).toContain('a run may execute');
    expect(new Set(fieldsOf(schema).map(([, description]) => description))).toContain(
      'How long one attempt may take.',
    );
  });

  it.each<[what: string, definition: Json]>([
    ['a step', { steps: [{ id: 'a', agent: 'echo' }] }],
    [
      'everything',
      {
        name: 'x',
        retry: { maxAttempts: 2 },
        steps: [{ id: 'a', agent: { key: 'echo', version: 1 }, when: 'true' }],
        output: 1,
      },
    ],
    ['a step that runs a workflow', { steps: [{ id: 'a', kind: 'workflow', workflow: { name: 'x' } }] }],
    ['nothing', {}],
    ['no steps', { steps: [] }],
    ['an unknown field', { steps: [{ id: 'a', agent: 'echo', colour: 1 }] }],
    ['a bad id', { steps: [{ id: '1', agent: 'echo' }] }],
    ['a wrong type', { steps: [{ id: 'a', agent: 'echo', timeoutMs: 'soon' }] }],
  ])('says the same as the service does of %s', (_what, definition) => {
    expect(isValid(definition)).toBe(definitionSchema.safeParse(definition).success);
  });
});
