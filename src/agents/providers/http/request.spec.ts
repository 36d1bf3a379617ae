import type { Json, JsonObject } from '../../../kernel/json.js';
import { compilePlan } from './call-plan.js';
import { buildRequest, isJsonType } from './request.js';

function build(settings: JsonObject, input: Json = {}): ReturnType<typeof buildRequest> {
  const plan = compilePlan({ url: 'http://a.test/', ...settings });
  if (!plan.ok) throw new Error(JSON.stringify(plan.failure));
  const run = { id: 'run_1', stepId: 'a', attempt: 1, idempotencyKey: 'k' };
  return buildRequest(plan.value, { input, agent: { key: 'mine' }, run, secrets: {} });
}

function sent(
  settings: JsonObject,
  input?: Json,
): { url: string; body: string | undefined; type: string | null } {
  const built = build(settings, input);
  if (!built.ok) throw new Error(JSON.stringify(built.failure));
  const { url, body, headers } = built.value.request;
  return { url: url.href, body, type: headers.get('content-type') };
}

it.each<readonly [string, Json, string]>([
  ['http://a.test/{{ input.id }}', { id: 'a/b?c#d e' }, 'http://a.test/a%2Fb%3Fc%23d%20e'],
  ['http://a.test/x?q={{ input.q }}', { q: 'a&b=c' }, 'http://a.test/x?q=a%26b%3Dc'],
  ['http://a.test/{{ input[0] }}', [7], 'http://a.test/7'],
  ['http://a.test/{{ run.id }}/{{ agent.key }}', null, 'http://a.test/run_1/mine'],
  ['http://a.test', null, 'http://a.test/'],
  ['http://a.test/{{ input.id }}', { id: '@b.test/' }, 'http://a.test/%40b.test%2F'],
])('puts values into %s as parts of it', (url, input, expected) => {
  expect(sent({ url, method: 'GET' }, input).url).toBe(expected);
});

it.each(['.', '..', '%2e%2e'])('refuses the path that %s would change', (id) => {
  const built = build({ url: 'http://a.test/users/{{ input.id }}/key' }, { id });

  if (id.startsWith('%')) expect(built).toMatchObject({ ok: true });
  else expect(built).toMatchObject({ ok: false, failure: { code: 'agent.input-invalid' } });
});

it('puts parameters after the address', () => {
  const query = { a: '{{ input.list }}', b: null, c: 'x {{ input.n }}', d: { e: 1 }, f: true };

  expect(sent({ url: 'http://a.test/?z=1', method: 'GET', query }, { list: [1, 'b&'], n: 2 }).url).toBe(
    'http://a.test/?z=1&a=1&a=b%26&c=x+2&d=%7B%22e%22%3A1%7D&f=true',
  );
});

it.each<readonly [string, JsonObject, Json, string | undefined, string | null]>([
  ['the input', {}, { a: 1 }, '{"a":1}', 'application/json'],
  ['what the settings make', { body: { q: '{{ input.a }}' } }, { a: [1] }, '{"q":[1]}', 'application/json'],
  ['none for GET', { method: 'GET' }, { a: 1 }, undefined, null],
  ['none for DELETE', { method: 'DELETE' }, { a: 1 }, undefined, null],
  ['one for DELETE that asks', { method: 'DELETE', body: 1 }, {}, '1', 'application/json'],
  ['a text as it is', { headers: { 'Content-Type': 'text/plain' } }, 'a "b"', 'a "b"', 'text/plain'],
  ['a text as JSON', {}, 'a', '"a"', 'application/json'],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { a: 'b c', d: [1, 2] },
    'a=b+c&d=1&d=2',
    'application/x-www-form-urlencoded',
  ],
])('sends %s', (_, settings, input, body, type) => {
  expect(sent(settings, input)).toMatchObject({ body, type });
});

it('sends every own key, whatever its name', () => {
  const text = '{"__proto__":{"a":1},"constructor":2,"toString":"{{"}';

  expect(sent({}, JSON.parse(text) as Json).body).toBe(text);
  expect(sent({ body: JSON.parse('{"__proto__":"{{ input.x }}","b":1}') as Json }, { x: 3 }).body).toBe(
    '{"__proto__":3,"b":1}',
  );
});

it('refuses a header that can not be sent, without its value', () => {
  const built = build({ headers: { 'x-a': '{{ input.a }}' } }, { a: 'canary\r\nx-b: 1' });

  expect(built).toMatchObject({ ok: false, failure: { code: 'agent.input-invalid' } });
  expect(JSON.stringify(built)).not.toContain('canary');
});

it('names what is missing', () => {
  expect(build({ url: 'http://a.test/{{ input.id }}' })).toMatchObject({
    failure: { code: 'template.variable-missing' },
  });
});

it.each([
  ['application/json', true],
  ['application/json; charset=utf-8', true],
  ['application/problem+json', true],
  ['text/json', true],
  ['application/jsonl', false],
  ['text/plain', false],
  ['', false],
])('%s is JSON: %s', (type, expected) => {
  expect(isJsonType(type)).toBe(expected);
});
