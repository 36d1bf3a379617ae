import type { JsonObject } from '../../../kernel/json.js';
import { compilePlan } from './call-plan.js';

const url = 'https://a.test/';

it.each<readonly [string, JsonObject]>([
  ['the least', { url }],
  [
    'braces in path, query and body',
    { url: 'https://a.test/{{ input.id }}?q={{ run.id }}', body: { a: '{{ input }}' } },
  ],
  ['a host without path', { url: 'http://127.0.0.1:8080' }],
  [
    'secrets in texts',
    { url, headers: { 'x-key': '{{ secrets.a }}' }, query: { k: '{{ secrets["b-c"] }}' } },
  ],
  ['secrets as headers', { url, headers: { 'x-key': { secret: 'a' } } }],
  ['an expression', { url, response: { transform: 'body.items.map(i, i.id)', successStatus: [200, '3xx'] } }],
  ['braces for the output', { url, response: { output: { id: '{{ body.id }}', status: '{{ status }}' } } }],
  [
    'every way to prove who calls',
    { url, auth: { type: 'hmac', secret: 'a', encoding: 'base64', prefix: 'v1=' } },
  ],
])('takes %s', (_, settings) => {
  expect(compilePlan(settings)).toMatchObject({ ok: true });
});

it.each<readonly [string, JsonObject, string, RegExp]>([
  ['no address', {}, '/url', /string/],
  ['another scheme', { url: 'ftp://a.test/' }, '/url', /http or https/],
  ['credentials in the address', { url: 'http://u:p@a.test/' }, '/url', /without user/],
  ['a host of the input', { url: 'http://{{ input.host }}/' }, '/url', /host has no braces/],
  ['part of a host of the input', { url: 'http://a.{{ input.host }}/' }, '/url', /host has no braces/],
  ['a port of the input', { url: 'http://a.test:{{ input.port }}/' }, '/url', /host has no braces/],
  ['bad braces', { url: 'http://a.test/{{ input' }, '/url', /line 1/],
  [
    'an unknown root',
    { url, body: { a: ['{{ steps.a.output }}'] } },
    '/body/a/0',
    /"steps" is not available/,
  ],
  [
    'a secret for the output',
    { url, response: { output: '{{ secrets.a }}' } },
    '/response/output',
    /"secrets"/,
  ],
  ['all secrets', { url, body: '{{ secrets }}' }, '', /name the secret/],
  ['a body for GET', { url, method: 'GET', body: 1 }, '/body', /no body/],
  ['an unknown method', { url, method: 'TRACE' }, '/method', /GET, HEAD/],
  ['an unknown field', { url, timeout: 1 }, '/timeout', /Unknown field/],
  ['a header of the connection', { url, headers: { Host: 'b' } }, '/headers/Host', /connection|key/i],
  ['a header that is none', { url, headers: { 'a b': 'c' } }, '/headers/a b', /header|key/i],
  ['two outputs', { url, response: { output: 1, transform: 'body' } }, '/response', /not both/],
  ['a bad expression', { url, response: { transform: 'body.(' } }, '/response/transform', /line 1/],
  ['an unknown proof', { url, auth: { type: 'digest' } }, '/auth/type', /bearer, basic/],
  ['a secret in place of its name', { url, auth: { type: 'bearer', token: 'x' } }, '/auth/secret', /string/],
])('refuses %s', (_, settings, pointer, message) => {
  const plan = compilePlan(settings);

  expect(plan.ok ? [] : plan.failure).toContainEqual({
    pointer,
    code: expect.any(String),
    message: expect.stringMatching(message),
  });
});

it('knows the secrets that texts read', () => {
  const plan = compilePlan({
    url: 'http://a.test/?k={{ secrets.a }}',
    headers: { a: 'x {{ secrets["b.c-d"] }}' },
    body: '{{ secrets.a }}',
  });

  expect(plan.ok ? [...plan.value.secretNames].sort() : plan.failure).toEqual(['a', 'b.c-d']);
});
