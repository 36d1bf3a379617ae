/**
 * Definitions that are refused for what they refer to or for what their parts mean together, each with the place and
 * the code; the shape of single fields is in src/workflows/domain/definition-issues.spec.ts. A new kind adds its rows.
 */
import type { Json } from '../../src/kernel/json.js';
import type { WorkflowValidationDto } from '../../src/workflows/dto/validate-workflow.dto.js';
import { EXAMPLE_TEMPLATE } from '../../src/templates/examples.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_READ: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

type Row = readonly [what: string, definition: Json, ...found: readonly (readonly [string, string])[]];

const step = (more: object = {}, id = 'a'): Json => ({ id, agent: 'echo', ...more });
const one = (more: object): Json => ({ steps: [step(more)] });
const template = (more: object): Json => one({ template: { id: EXAMPLE_TEMPLATE, ...more } });
const chain = (count: number): Json => ({
  steps: Array.from({ length: count }, (_, index) => step({}, `s${String(index)}`)),
});

const ROWS: readonly Row[] = [
  [
    'an approval whose form is no schema',
    { steps: [{ id: 'a', kind: 'approval', form: { type: 'nothing' } }] },
    ['/steps/0/form', 'schema.invalid'],
  ],
  [
    'an approval that reads steps that there are not',
    {
      steps: [
        {
          ...{ id: 'a', kind: 'approval', prompt: '{{ steps.x.output }}' },
          ...{ assignees: ['{{ steps.y.output }}'], onTimeout: { output: '{{ steps.z.output }}' } },
        },
      ],
    },
    ['/steps/0/prompt', 'reference.unknown-step'],
    ['/steps/0/assignees/0', 'reference.unknown-step'],
    ['/steps/0/onTimeout/output', 'reference.unknown-step'],
  ],
  [
    'writers of one place that have no order',
    { steps: [step({ writes: { 'x.y': 1 } }), step({ writes: { x: 2 } }, 'b')] },
    ['/steps/1/writes/x', 'context.write-conflict'],
  ],
  [
    'items that replace each other',
    one({ forEach: { items: [1] }, writes: { x: 1 } }),
    ['/steps/0/writes/x', 'context.write-conflict'],
  ],
  ['a write to no path', one({ writes: { 'a..b': 1 } }), ['/steps/0/writes/a..b', 'field.invalid']],
  [
    'a reducer for no path',
    { contextReducers: { '.': 'sum' }, steps: [step()] },
    ['/contextReducers/.', 'field.invalid'],
  ],
  [
    'a reducer that is none',
    { contextReducers: { x: 'add' }, steps: [step()] },
    ['/contextReducers/x', 'field.invalid'],
  ],
  [
    'a step that waits for one that runs last',
    { steps: [step({ finally: true }), step({ dependsOn: ['a'] }, 'b')] },
    ['/steps/1', 'step.finally-depended-on'],
  ],
  [
    'a compensation by an unknown agent',
    one({ compensate: { agent: 'nobody' } }),
    ['/steps/0/compensate/agent', 'agent.not-found'],
  ],
  ['an unknown agent', one({ agent: 'nobody' }), ['/steps/0/agent', 'agent.not-found']],
  [
    'the name of a prototype for an agent',
    one({ agent: '__proto__' }),
    ['/steps/0/agent', 'agent.not-found'],
  ],
  ['an unknown agent by key', one({ agent: { key: 'nobody' } }), ['/steps/0/agent/key', 'agent.not-found']],
  [
    'an unknown template by name',
    one({ template: { name: 'nobody' } }),
    ['/steps/0/template/name', 'template.not-found'],
  ],
  [
    'an unknown template by id',
    one({ template: { id: 'tpl_0' } }),
    ['/steps/0/template/id', 'template.not-found'],
  ],
  [
    'an unknown version of a template',
    template({ version: 99, variables: { user: { name: 'x' } } }),
    ['/steps/0/template/version', 'template.version-not-found'],
  ],
  [
    'an unknown label of a template',
    template({ label: 'nobody', variables: { user: { name: 'x' } } }),
    ['/steps/0/template/label', 'template.label-not-found'],
  ],
  [
    'a variable that is not given',
    template({}),
    ['/steps/0/template/variables', 'template.variable-missing'],
  ],
  [
    'variables that are another one',
    template({ variables: { tone: 'x' } }),
    ['/steps/0/template/variables', 'template.variable-missing'],
  ],
  [
    'an input that is no object beside a template',
    one({ template: { name: 'signature' }, input: [1] }),
    ['/steps/0/input', 'field.invalid'],
  ],
  [
    'an inputSchema that is none',
    { inputSchema: { type: 'thing' }, steps: [step()] },
    ['/inputSchema', 'schema.invalid'],
  ],
  [
    'an outputSchema that is none',
    one({ outputSchema: { required: 'x' } }),
    ['/steps/0/outputSchema', 'schema.invalid'],
  ],
  [
    'a schema that refers elsewhere',
    one({ outputSchema: { $ref: 'https://example.org/s' } }),
    ['/steps/0/outputSchema', 'schema.invalid'],
  ],
  [
    'a pattern that takes too long',
    { inputSchema: { pattern: '(a+)+$' }, steps: [step()] },
    ['/inputSchema', 'schema.invalid'],
  ],
  ['a step that waits for itself', one({ dependsOn: ['a'] }), ['/steps/0', 'graph.cycle']],
  ['a step that reads itself', one({ input: '{{ steps.a.output }}' }), ['/steps/0', 'graph.cycle']],
  [
    'two steps that read each other',
    { steps: [step({ when: 'steps.b.output' }), step({ input: '{{ steps.a.output }}' }, 'b')] },
    ['/steps/0', 'graph.cycle'],
  ],
  [
    'two knots',
    { steps: [step({ dependsOn: ['b'] }), step({ dependsOn: ['a'] }, 'b'), step({ dependsOn: ['c'] }, 'c')] },
    ['/steps/0', 'graph.cycle'],
    ['/steps/2', 'graph.cycle'],
  ],
  ['an id that is there twice', { steps: [step(), step()] }, ['/steps/1/id', 'step.duplicate-id']],
  ['too many steps, of which nothing else is said', chain(51), ['/steps', 'definition.too-many-steps']],
  [
    'a first delay above the largest of the definition',
    { retry: { maxIntervalMs: 10 }, steps: [step()] },
    ['/retry', 'field.invalid'],
  ],
  [
    'a delay of a step above the largest of the definition',
    {
      retry: { initialIntervalMs: 1, maxIntervalMs: 10 },
      steps: [step({ retry: { initialIntervalMs: 20 } })],
    },
    ['/steps/0/retry', 'field.invalid'],
  ],
  [
    'a filter that does not exist',
    one({ input: '{{ input.x | shout }}' }),
    ['/steps/0/input', 'expression.invalid'],
  ],
  ['a tag that does not exist', one({ input: '{% call x %}' }), ['/steps/0/input', 'expression.invalid']],
  [
    'a function that does not exist',
    one({ when: 'shout(input.x)' }),
    ['/steps/0/when', 'expression.invalid'],
  ],
  [
    'problems in the shape, the graph, and in what is referred to',
    {
      colour: 1,
      steps: [
        step({
          agent: 'nobody',
          dependsOn: ['a'],
          template: { name: 'nobody' },
          outputSchema: { type: 'thing' },
        }),
      ],
    },
    ['/colour', 'field.unknown'],
    ['/steps/0', 'graph.cycle'],
    ['/steps/0/agent', 'agent.not-found'],
    ['/steps/0/outputSchema', 'schema.invalid'],
    ['/steps/0/template/name', 'template.not-found'],
  ],
];

const cases = ROWS.map(([what, definition, ...found]) => ({ what, definition, found }));

it.each(cases)('a definition is refused for $what', async ({ definition, found }) => {
  const { status, body } = await api.post<WorkflowValidationDto>('/workflows/validate', { definition });

  expect([status, body.valid, body.warnings]).toEqual([200, false, []]);
  expect(new Set(body.issues.map(({ pointer, code }) => `${pointer} ${code}`))).toEqual(
    new Set(found.map(([pointer, code]) => `/definition${pointer} ${code}`)),
  );
  expect(body.issues.filter(({ message }) => message === '')).toEqual([]);
});
