import {
  isSameBody,
  parseReference,
  selectVersion,
  TEMPLATE_NAME,
  type TemplateBody,
  type TemplateHead,
} from './template.js';

const head: TemplateHead = {
  id: 'tpl_1',
  name: 'greeting',
  kind: 'text',
  tags: [],
  latest: 5,
  labels: [
    { label: 'production', version: 3, movedBy: 'key_1', movedAt: 0 },
    { label: 'staging', version: 4, movedBy: 'key_1', movedAt: 0 },
  ],
  createdAt: 0,
  updatedAt: 0,
};

describe('selectVersion', () => {
  it.each([
    ['production, where nothing is named', {}, { version: 3, label: 'production' }],
    ['a version', { version: 1 }, { version: 1 }],
    ['a label', { label: 'staging' }, { version: 4, label: 'staging' }],
    ['latest', { label: 'latest' }, { version: 5, label: 'latest' }],
  ])('finds %s', (_, selector, value) => {
    expect(selectVersion(head, selector)).toEqual({ ok: true, value });
  });

  it('finds latest where nothing is named and production is nowhere', () => {
    expect(selectVersion({ ...head, labels: [] }, {})).toEqual({
      ok: true,
      value: { version: 5, label: 'latest' },
    });
  });

  it.each([
    [{ version: 6 }, 'template.version-not-found'],
    [{ label: 'beta' }, 'template.label-not-found'],
  ])('finds nothing for %j', (selector, code) => {
    expect(selectVersion(head, selector)).toMatchObject({ ok: false, failure: { code } });
  });

  it('finds no production that was asked for by name and is nowhere', () => {
    expect(selectVersion({ ...head, labels: [] }, { label: 'production' })).toMatchObject({ ok: false });
  });
});

describe('parseReference', () => {
  it.each([
    ['greeting', { name: 'greeting' }],
    ['greeting@production', { name: 'greeting', label: 'production' }],
    ['a.b_c-d@3', { name: 'a.b_c-d', version: 3 }],
    ['greeting@', undefined],
    ['greeting@0', undefined],
    ['a@b@c', undefined],
    ['../etc/passwd', undefined],
    ['Greeting', undefined],
    ['__proto__', undefined],
  ])('reads %j', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });
});

it.each([
  ['a', true],
  ['tpl_x', false],
  ['-a', false],
  ['a'.repeat(100), true],
  ['a'.repeat(101), false],
])('%s is a name: %s', (name, isName) => {
  expect(TEMPLATE_NAME.test(name)).toBe(isName);
});

describe('isSameBody', () => {
  const body: TemplateBody = {
    kind: 'text',
    content: 'x',
    variables: [{ name: 'a', type: 'any' }],
    tags: ['t'],
  };

  it.each([
    [
      'keys in another order',
      { tags: ['t'], variables: [{ type: 'any', name: 'a' }], content: 'x', kind: 'text' },
      true,
    ],
    ['another text', { ...body, content: 'y' }, false],
    ['another description', { ...body, description: '' }, false],
    ['tags in another order', { ...body, tags: ['t', 'u'] }, false],
  ] as const)('of %s', (_, other, isSame) => {
    expect(isSameBody(body, other as TemplateBody)).toBe(isSame);
  });
});
