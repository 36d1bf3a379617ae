import { exampleOf } from './openapi-example.js';

const SCHEMAS = {
  Named: {
    type: 'object',
    properties: { name: { type: 'string', example: 'Ada' }, age: { type: 'integer' } },
  },
  Silent: { type: 'object', properties: { name: { type: 'string' } } },
} as const;
const ref = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

describe('exampleOf', () => {
  it.each([
    ['fields with an example, and no others', ref('Named'), { name: 'Ada' }],
    ['an empty object where no field has one', ref('Silent'), {}],
    ['an empty object for a name that is none', ref('Nobody'), {}],
    [
      'the example of the whole before those of its fields',
      { ...SCHEMAS.Named, example: { age: 1 } },
      { age: 1 },
    ],
    ['a default, also one that is false', { properties: { force: { default: false } } }, { force: false }],
    ['an example before a default', { properties: { n: { default: 1, example: 2 } } }, { n: 2 }],
    ['null as an example', { properties: { n: { example: null } } }, { n: null }],
    ['what a field refers to', { properties: { user: ref('Named') } }, { user: { name: 'Ada' } }],
    [
      'what a wrapper refers to',
      { properties: { user: { allOf: [ref('Named')] } } },
      { user: { name: 'Ada' } },
    ],
    ['nothing for a field that has nothing to show', { properties: { user: ref('Silent') } }, {}],
  ])('takes %s', (_, schema, example) => {
    expect(exampleOf(schema, SCHEMAS as unknown as Parameters<typeof exampleOf>[1])).toEqual(example);
  });
});
