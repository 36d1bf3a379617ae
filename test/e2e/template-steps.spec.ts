/** Steps that take their input from a template. */
import type { Json } from '../../src/kernel/json.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { StepView } from '../../src/runs/domain/view.js';
import { EXAMPLE_INCLUDED_TEMPLATE } from '../../src/templates/examples.js';
import type { TemplateDto } from '../../src/templates/dto/template.dto.js';
import type { WorkflowValidationDto } from '../../src/workflows/dto/validate-workflow.dto.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { aTemplate } from '../support/templates.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_WRITE: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const step = (id: string, template: Json, more: Readonly<Record<string, Json>> = {}): Json => ({
  id,
  agent: 'echo',
  template,
  ...more,
});

describe('a step with a template', () => {
  it('is given its text as prompt, laid over its own input, and the manifest says which version', async () => {
    const { id, name } = await aTemplate(api, {
      content: 'Write about {{ topic }} for {{ user.name }}.',
      variables: [{ name: 'topic', type: 'string', default: 'music' }],
    });
    await api.put(`/templates/${id}/labels/production`, { version: 1 });
    await api.put(`/templates/${id}`, { content: 'never used' });

    const run = await api.finish(
      {
        steps: [
          step(
            'write',
            { name, variables: { user: '{{ input.user }}' } },
            { input: { temperature: 0.5, prompt: 'x' } },
          ),
        ],
      },
      { input: { user: { name: 'Ada {{ 1 }}' } } },
    );

    expect(run.output).toEqual({ write: { prompt: 'Write about music for Ada {{ 1 }}.', temperature: 0.5 } });
    expect(run.manifest.templates).toEqual({ write: { id, name, version: 1, label: 'production' } });
    const [first] = await api.events(run.id);
    expect(first?.data).toMatchObject({
      manifest: { templates: { write: { id, version: 1, content: expect.stringContaining('Write about') } } },
    });
  });

  it('waits for the steps that its variables read', async () => {
    const { id } = await aTemplate(api, '{{ a }} and {{ b.text }}');

    const run = await api.finish({
      steps: [
        step('last', { id, variables: { a: '{{ steps.one.output.n }}', b: '{{ steps.two.output }}' } }),
        scripted('one', { output: { n: 1 }, delayMs: 20 }),
        scripted('two', { output: { text: 'two' } }),
      ],
      output: '{{ steps.last.output.prompt }}',
    });

    expect(run.output).toBe('1 and two');
    const { body } = await api.get<StepView>(`/runs/${run.id}/steps/last`);
    expect(body.dependsOn).toEqual(['one', 'two']);
  });

  it('is given the messages of a chat, and what the system says apart', async () => {
    const { id } = await aTemplate(api, {
      messages: [
        { role: 'system', content: 'You are {{ who }}.' },
        { placeholder: 'history' },
        { role: 'user', content: '{{ question }}' },
      ],
    });
    const variables = {
      who: 'Bo',
      question: '{{ input.question }}',
      history: [{ role: 'assistant', content: 'Hello' }],
    };

    const run = await api.finish(
      { steps: [step('ask', { id, variables })] },
      { input: { question: 'Why?' } },
    );

    expect(run.output).toEqual({
      ask: {
        system: 'You are Bo.',
        messages: [
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: 'Why?' },
        ],
      },
    });
  });

  it.each([
    ['a value of another type', { n: '{{ input.n }}' }, 'template.variable-invalid'],
    ['a value that its expression does not find', { n: '{{ input.nothing }}' }, 'template.variable-missing'],
  ])('fails for %s, and is not tried again', async (_, variables, code) => {
    const { id } = await aTemplate(api, {
      content: '{{ n }}',
      variables: [{ name: 'n', type: 'integer', schema: { minimum: 1 } }],
    });

    const run = await api.finish({ steps: [step('a', { id, variables })] }, { input: { n: 0 } });

    expect(run).toMatchObject({
      status: 'failed',
      failure: { code, details: expect.objectContaining({ field: 'template' }) },
    });
    expect((await api.events(run.id)).map(({ type }) => type)).not.toContain('step.retrying');
  });

  it('uses what was resolved at the start, whatever happens to the template, also in another process', async () => {
    const dataDir = makeDataDir();
    const first = await startApp({ dataDir });
    const before = new Api(first.url);
    const inner = await aTemplate(before, 'inner');
    const { id, name } = await aTemplate(before, `{{ n }} {% render "${inner.name}" %}`);
    const run = await before.start({
      steps: [
        scripted('wait', { output: 7, delayMs: 400 }),
        step('late', { id, variables: { n: '{{ steps.wait.output }}' } }),
      ],
      output: '{{ steps.late.output.prompt }}',
    });
    await before.delete(`/templates/${id}`);
    await before.delete(`/templates/${inner.id}`);
    await first.close();

    const second = await startApp({ dataDir });
    try {
      const ended = await new Api(second.url).ended(run.id);

      expect(ended).toMatchObject({ status: 'completed', output: '7 inner' });
      expect(ended.manifest.templates).toEqual({ late: { id, name, version: 1, label: 'latest' } });
    } finally {
      await second.close();
    }
  });
});

describe('a definition is refused', () => {
  const issuesOf = async (definition: Json): Promise<readonly (readonly [string, string])[]> => {
    const { body: checked } = await api.post<WorkflowValidationDto>('/workflows/validate', { definition });
    const { status, body } = await api.post<ProblemDocument>('/runs', { definition });
    expect([status, body.code]).toEqual([422, 'definition.invalid']);
    expect(body.issues).toEqual(checked.issues);
    return checked.issues.map(({ pointer, code }) => [pointer, code]);
  };
  const pointer = '/definition/steps/0/template';
  let template: TemplateDto;

  beforeAll(async () => {
    template = await aTemplate(api, {
      content: '{{ a }} {{ b | default: "x" }} {% if c %}{{ d }}{% endif %} {{ e }}{{ f }}',
      variables: [
        { name: 'e', type: 'any' },
        { name: 'f', type: 'any', default: 1 },
        { name: 'g', type: 'any', required: true },
      ],
    });
  });

  it.each([
    ['a template that is not there', { name: 'nobody' }, `${pointer}/name`, 'template.not-found'],
    [
      'an id that is not there',
      { id: 'tpl_00000000000070008000000000000099' },
      `${pointer}/id`,
      'template.not-found',
    ],
    ['neither id nor name', { variables: {} }, pointer, 'field.invalid'],
    ['id and name', { id: EXAMPLE_INCLUDED_TEMPLATE, name: 'b' }, pointer, 'field.invalid'],
    [
      'version and label',
      { id: EXAMPLE_INCLUDED_TEMPLATE, version: 1, label: 'b' },
      pointer,
      'field.invalid',
    ],
    ['an unknown field', { id: EXAMPLE_INCLUDED_TEMPLATE, colour: 1 }, `${pointer}/colour`, 'field.unknown'],
    [
      'variables that are a list',
      { id: EXAMPLE_INCLUDED_TEMPLATE, variables: [] },
      `${pointer}/variables`,
      'field.invalid',
    ],
    [
      'a step that is not there',
      { id: EXAMPLE_INCLUDED_TEMPLATE, variables: { x: '{{ steps.no.output }}' } },
      `${pointer}/variables/x`,
      'reference.unknown-step',
    ],
    [
      'a template that cannot be parsed',
      { id: EXAMPLE_INCLUDED_TEMPLATE, variables: { x: ['{{ input. }}'] } },
      `${pointer}/variables/x/0`,
      'expression.invalid',
    ],
  ])('for %s', async (_, given, where, code) => {
    expect(await issuesOf({ steps: [step('s', given)] })).toEqual([[where, code]]);
  });

  it.each([
    ['label', { label: 'nobody' }, 'template.label-not-found'],
    ['version', { version: 9 }, 'template.version-not-found'],
  ])('for a %s that is not there', async (field, selector, code) => {
    const given = { id: template.id, ...selector, variables: { a: 1, e: 1, g: 1 } };

    expect(await issuesOf({ steps: [step('s', given)] })).toEqual([[`${pointer}/${field}`, code]]);
  });

  it('for each variable that the template needs in any case', async () => {
    const { body } = await api.post<WorkflowValidationDto>('/workflows/validate', {
      definition: { steps: [step('s', { id: template.id })] },
    });

    expect(body.issues.map(({ pointer: at, code }) => [at, code])).toEqual(
      ['e', 'g', 'a'].map(() => [`${pointer}/variables`, 'template.variable-missing']),
    );
    expect(body.issues.map(({ message }) => /"(\w)"$/.exec(message)?.[1])).toEqual(['e', 'g', 'a']);
  });

  it('for an input that is no object', async () => {
    const given = { id: template.id, variables: { a: 1, e: 1, g: 1 } };

    expect(await issuesOf({ steps: [step('s', given, { input: 'text' })] })).toEqual([
      ['/definition/steps/0/input', 'field.invalid'],
    ]);
  });
});
