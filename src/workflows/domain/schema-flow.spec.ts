import type { JsonObject } from '../../kernel/json.js';
import { compileDefinition } from './compile-definition.js';
import { listSchemaWarnings } from './schema-flow.js';

const text = { type: 'string' };
/** What the step `a` puts out. */
const closed = {
  type: 'object',
  additionalProperties: false,
  properties: {
    text,
    count: { type: 'integer' },
    list: { type: 'array', items: text },
    inner: { type: 'object', properties: { deep: text }, additionalProperties: false },
    'dotted.name': text,
  },
};

interface Case {
  readonly output?: JsonObject;
  readonly reader?: JsonObject;
  readonly inputSchema?: JsonObject;
  readonly step?: object;
  readonly result?: unknown;
}

function warningsOf({ output = closed, reader, inputSchema, step = {}, result }: Case): readonly string[] {
  const definition = {
    ...(inputSchema && { inputSchema }),
    steps: [
      { id: 'a', agent: 'echo' },
      { id: 'b', ...('kind' in step ? {} : { agent: 'echo' }), ...step },
    ],
    ...(result !== undefined && { output: result }),
  };
  const compiled = compileDefinition(definition, { maxSteps: 10 });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.failure));
  const { graph } = compiled.value;
  const found = listSchemaWarnings(compiled.value.definition, graph, ({ id }) =>
    id === 'a' ? { output } : { input: reader },
  );
  return found.map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`);
}

const input = (value: unknown): { readonly step: object } => ({ step: { input: value } });
const MISSING = 'schema.property-missing';
const MISMATCH = 'schema.type-mismatch';

describe('listSchemaWarnings', () => {
  it.each<[what: string, given: Case, warnings: readonly string[]]>([
    ['what is declared', input({ p: '{{ steps.a.output.text }} {{ steps.a.output.inner.deep }}' }), []],
    [
      'a property that a closed schema lacks',
      input({ p: ['Say {{ steps.a.output.txt }}'] }),
      [`/steps/1/input/p/0 ${MISSING}: steps.a.output has no property "txt"`],
    ],
    [
      'one deeper down',
      input('{{ steps.a.output.inner.deeper }}'),
      [`/steps/1/input ${MISSING}: steps.a.output.inner has no property "deeper"`],
    ],
    [
      'a property of a text',
      input('{{ steps.a.output.text.length }}'),
      [`/steps/1/input ${MISSING}: steps.a.output.text is string, which has no "length"`],
    ],
    [
      'one in a condition',
      { step: { when: 'steps.a.output.cuont > 1' } },
      [`/steps/1/when ${MISSING}: steps.a.output has no property "cuont"`],
    ],
    [
      'one in the variables of a template',
      { step: { template: { name: 't', variables: { v: '{{ steps.a.output.txt }}' } } } },
      [`/steps/1/template/variables/v ${MISSING}: steps.a.output has no property "txt"`],
    ],
    [
      'one in the output of the run',
      { result: { r: '{{ steps.a.output.txt }}' } },
      [`/output/r ${MISSING}: steps.a.output has no property "txt"`],
    ],
    [
      'one of the input of the run',
      { inputSchema: closed, ...input('{{ input.txt }}') },
      [`/steps/1/input ${MISSING}: input has no property "txt"`],
    ],
    [
      'what the template language adds',
      input('{{ steps.a.output.list.size }}{{ steps.a.output.text.size }}'),
      [],
    ],
    ['an element of a list', input('{{ steps.a.output.list[0] }}'), []],
    ['a name with a dot', input('{{ steps.a.output["dotted.name"] }}'), []],
    ['a status', input('{{ steps.a.status }}'), []],
    [
      'an open schema',
      { output: { type: 'object', properties: {} }, ...input('{{ steps.a.output.x }}') },
      [],
    ],
    [
      'a schema that refers elsewhere',
      { output: { $ref: '#/$defs/x', additionalProperties: false }, ...input('{{ steps.a.output.x }}') },
      [],
    ],
    [
      'the size of a list in a condition',
      { step: { dependsOn: ['a'], when: 'steps.a.output.size() > 0' }, output: { type: 'array' } },
      [],
    ],
    [
      'a value of the right type',
      { reader: { properties: { p: text } }, ...input({ p: '{{ steps.a.output.text }}' }) },
      [],
    ],
    [
      'a value of another type',
      { reader: { properties: { p: text } }, ...input({ p: '{{ steps.a.output.count }}' }) },
      [`/steps/1/input/p ${MISMATCH}: the reader takes string, and this is integer`],
    ],
    [
      'a text around a value',
      {
        reader: { properties: { p: { type: 'integer' } } },
        ...input({ p: 'n = {{ steps.a.output.count }}' }),
      },
      [`/steps/1/input/p ${MISMATCH}: the reader takes integer, and this is string`],
    ],
    [
      'a constant of another type',
      { reader: { type: 'object', properties: { p: { enum: [1, 2] } } }, ...input({ p: 'one' }) },
      [`/steps/1/input/p ${MISMATCH}: the reader takes integer, and this is string`],
    ],
    [
      'a whole input of another type',
      { reader: { type: 'object' }, ...input('{{ steps.a.output.list }}') },
      [`/steps/1/input ${MISMATCH}: the reader takes object, and this is array`],
    ],
    [
      'a required property that is not given',
      { reader: { required: ['p', 'q'] }, ...input({ q: 1 }) },
      [`/steps/1/input ${MISSING}: the reader requires the property "p"`],
    ],
    [
      'a filter, whose type is not known',
      {
        reader: { properties: { p: { type: 'array' } } },
        ...input({ p: '{{ steps.a.output.text | split: "," }}' }),
      },
      [],
    ],
    [
      'a number for an integer',
      { output: { type: 'number' }, reader: { type: 'integer' }, ...input('{{ steps.a.output }}') },
      [],
    ],
    [
      'a type among several',
      { output: { type: ['string', 'null'] }, reader: text, ...input('{{ steps.a.output }}') },
      [],
    ],
    [
      'an input beside a template',
      { reader: { required: ['prompt'] }, step: { template: { name: 't' } } },
      [],
    ],
    [
      'a list of outputs',
      { step: { forEach: { items: '[1]' }, outputSchema: closed }, result: '{{ steps.b.output.x }}' },
      [],
    ],
    [
      'a list of items',
      { step: { forEach: { items: 'steps.a.output.lst' } } },
      [`/steps/1/forEach/items ${MISSING}: steps.a.output has no property "lst"`],
    ],
    [
      'the body of a loop, which reads steps before it and its own',
      {
        step: {
          kind: 'loop',
          repeat: {
            until: 'output.done',
            body: {
              steps: [{ id: 'c', kind: 'transform', expression: 'steps.a.output.txt' }],
              output: '{{ steps.a.output.tex }}',
            },
          },
        },
      },
      [
        `/steps/1/repeat/body/steps/0/expression ${MISSING}: steps.a.output has no property "txt"`,
        `/steps/1/repeat/body/output ${MISSING}: steps.a.output has no property "tex"`,
      ],
    ],
  ])('judges %s', (_what, given, warnings) => {
    expect(warningsOf(given)).toEqual(warnings);
  });
});
