/** The `http` provider against a real server: 127.0.0.2 is allowed, 127.0.0.1 is not. */
import { createHmac } from 'node:crypto';

import { HttpProvider } from '../../src/agents/providers/http/http.provider.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { traceparentOf } from '../../src/kernel/trace-context.js';
import { SystemAddresses } from '../../src/platform/egress/address.source.js';
import { Egress } from '../../src/platform/egress/egress.js';
import { callProvider, failureBy, outputOf, StubSecrets } from '../support/call-provider.js';
import { answerJson, HttpStub, type Received } from '../support/http-stub.js';
import { ManualClock } from '../support/manual-clock.js';

const TOKEN = 'canary-5d1c';

const stub = new HttpStub();
let egress: Egress;
let provider: HttpProvider;
let clock: ManualClock;

beforeAll(() => stub.start());
afterAll(() => stub.stop());

beforeEach(() => {
  stub.reset();
  clock = new ManualClock();
  egress = new Egress({ allowedHosts: ['127.0.0.2'] }, new SystemAddresses());
  provider = new HttpProvider(egress, new StubSecrets({ token: TOKEN, user: 'canary-user' }), clock);
});

afterEach(() => egress.onApplicationShutdown());

const output = (more: JsonObject = {}, input: Json = {}): Promise<Json> =>
  outputOf(provider, { settings: { url: stub.url(), ...more }, input });
const failure = (more: JsonObject = {}, input: Json = {}): ReturnType<typeof failureBy> =>
  failureBy(provider, { settings: { url: stub.url(), ...more }, input });
const lastReceived = (): Received => stub.received.at(-1) as Received;

describe('a call', () => {
  it('sends the input as JSON with the stable key, and answers the body', async () => {
    stub.answer = (request, response) => answerJson(request.body)(request, response, undefined as never);
    const input = JSON.parse('{"__proto__":{"a":[1.5,null]},"constructor":"x","é":"{{ no }}"}') as Json;

    expect(JSON.stringify(await output({}, input))).toBe(JSON.stringify(input));
    expect(lastReceived()).toMatchObject({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'run_1:a:1',
        traceparent: traceparentOf('run_1:a:1', 1),
      },
    });
  });

  it('sends and answers what the settings make', async () => {
    stub.answer = answerJson('{"items":[{"id":7,"ok":true},{"id":8,"ok":false}]}', 201, { 'x-page': '2' });

    const made = await output(
      {
        method: 'PUT',
        url: stub.url('/v1/{{ input.user }}'),
        query: { limit: '{{ input.limit }}' },
        headers: { 'X-Run': '{{ run.id }}', 'Idempotency-Key': 'own' },
        body: { question: 'What is {{ input.what }}?', raw: '{{ input.raw }}' },
        response: {
          output: { first: '{{ body.items[0] }}', page: '{{ headers["x-page"] }}', status: '{{ status }}' },
        },
      },
      { user: 'a/b', limit: 5, what: 'up', raw: { deep: [1] } },
    );

    expect(made).toEqual({ first: { id: 7, ok: true }, page: '2', status: 201 });
    expect(lastReceived()).toMatchObject({
      method: 'PUT',
      path: '/v1/a%2Fb?limit=5',
      headers: { 'x-run': 'run_1', 'idempotency-key': 'own' },
      body: '{"question":"What is up?","raw":{"deep":[1]}}',
    });
    expect(
      await output({ response: { transform: 'body.items.filter(i, i.ok).map(i, i.id + status)' } }),
    ).toEqual([208]);
  });

  it.each<readonly [string, string | Buffer, Json]>([
    ['text/plain', 'hello', 'hello'],
    ['text/html; charset=utf-8', 'é', 'é'],
    ['text/plain; charset=iso-8859-1', Buffer.from([0xe9]), 'é'],
    ['application/problem+json', '[1]', [1]],
    ['application/json', '', null],
  ])('reads a body of type %s', async (type, body, expected) => {
    stub.answer = (_request, response) => response.setHeader('content-type', type).end(body);

    expect(await output({ method: 'GET' })).toEqual(expected);
  });

  it('makes an artifact of what is no text', async () => {
    const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]);
    stub.answer = (_request, response) => response.setHeader('content-type', 'image/png').end(picture);

    const { outcome } = await callProvider(provider, { settings: { url: stub.url() } });

    expect(outcome).toMatchObject({
      output: { artifact: 'response', mediaType: 'image/png', bytes: 6 },
      artifacts: [{ name: 'response', mediaType: 'image/png', content: new Uint8Array(picture) }],
    });
  });

  it('ends when the attempt is aborted', async () => {
    const leaving = new AbortController();
    stub.answer = () => {
      leaving.abort();
    };

    const { outcome } = await callProvider(provider, {
      settings: { url: stub.url() },
      signal: leaving.signal,
    });

    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'agent.answer-broken' } });
  });
});

describe('credentials', () => {
  it.each<readonly [string, JsonObject, Record<string, string>]>([
    ['bearer', { type: 'bearer', secret: 'token' }, { authorization: `Bearer ${TOKEN}` }],
    [
      'basic',
      { type: 'basic', username: 'me', secret: 'token' },
      { authorization: `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}` },
    ],
    [
      'basic with a secret user',
      { type: 'basic', username: { secret: 'user' }, secret: 'token' },
      { authorization: `Basic ${Buffer.from(`canary-user:${TOKEN}`).toString('base64')}` },
    ],
    [
      'header',
      { type: 'header', name: 'X-Key', secret: 'token', prefix: 'Key ' },
      { 'x-key': `Key ${TOKEN}` },
    ],
  ])('of type %s are sent', async (_, auth, headers) => {
    await output({ auth });

    expect(lastReceived().headers).toMatchObject(headers);
  });

  it('of type hmac sign timestamp and body', async () => {
    await output({ auth: { type: 'hmac', secret: 'token' } }, { a: 'é' });

    const timestamp = String(Math.floor(clock.now() / 1000));
    const { headers, body } = lastReceived();
    expect(headers['x-timestamp']).toBe(timestamp);
    expect(headers['x-signature']).toBe(
      createHmac('sha256', TOKEN).update(`${timestamp}.${body}`).digest('hex'),
    );
  });

  it('of type hmac go where the settings say', async () => {
    const auth = {
      ...{ type: 'hmac', secret: 'token', signatureHeader: 'X-Hub', timestampHeader: 'X-Time' },
      ...{ encoding: 'base64', prefix: 'v1=' },
    };
    await output({ auth, method: 'GET' });

    const { headers } = lastReceived();
    const signed = `${headers['x-time'] as string}.`;
    expect(headers['x-hub']).toBe(`v1=${createHmac('sha256', TOKEN).update(signed).digest('base64')}`);
  });

  it('stand in headers, query, path and body by name', async () => {
    await output({
      url: stub.url('/{{ secrets.token }}'),
      query: { key: '{{ secrets.token }}' },
      headers: { 'x-a': { secret: 'token' }, 'x-b': 'b {{ secrets["token"] }}' },
      body: { token: '{{ secrets.token }}' },
    });

    expect(lastReceived()).toMatchObject({
      path: `/${TOKEN}?key=${TOKEN}`,
      headers: { 'x-a': TOKEN, 'x-b': `b ${TOKEN}` },
      body: `{"token":"${TOKEN}"}`,
    });
  });

  it.each<readonly [string, JsonObject]>([
    ['auth', { auth: { type: 'bearer', secret: 'gone' } }],
    ['user', { auth: { type: 'basic', username: { secret: 'gone' }, secret: 'token' } }],
    ['header', { headers: { 'x-a': { secret: 'gone' } } }],
    ['text', { body: '{{ secrets.gone }}' }],
  ])('that are missing are named: %s', async (_, settings) => {
    expect(await failure(settings)).toMatchObject({
      code: 'secret.not-found',
      message: 'There is no secret "gone".',
      retryable: false,
    });
    expect(stub.received).toEqual([]);
  });

  it('that the service sends back are taken out of outputs and failures', async () => {
    const settings = {
      auth: { type: 'basic', username: 'me', secret: 'token' },
      query: { key: '{{ secrets.token }}' },
    };
    stub.answer = ({ headers, path }, response) => {
      response.writeHead(path.startsWith('/bad') ? 400 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ headers, path, token: TOKEN, [TOKEN]: 1 }));
    };

    const shown = JSON.stringify([
      await output({ ...settings, response: { output: '{{ body }}' } }),
      await failure({ ...settings, url: stub.url('/bad') }),
    ]);

    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain(TOKEN);
    expect(shown).not.toContain(Buffer.from(`me:${TOKEN}`).toString('base64'));
  });
});

describe('a failure', () => {
  it.each([
    [400, 'agent.request-refused', false],
    [401, 'agent.unauthorized', false],
    [403, 'agent.unauthorized', false],
    [404, 'agent.request-refused', false],
    [408, 'agent.unavailable', true],
    [409, 'agent.request-refused', false],
    [413, 'agent.request-too-large', false],
    [422, 'agent.request-refused', false],
    [425, 'agent.unavailable', true],
    [429, 'agent.rate-limited', true],
    [500, 'agent.upstream-failed', true],
    [503, 'agent.upstream-failed', true],
    [599, 'agent.upstream-failed', true],
    [304, 'agent.status-unexpected', false],
  ])('of status %d is %s, retryable: %s', async (status, code, retryable) => {
    stub.answer = (_request, response) => response.writeHead(status).end(status === 304 ? '' : 'the reason');

    const found = await failure();

    expect(found).toMatchObject({ code, retryable, details: { status } });
    if (status !== 304) expect(found.message).toBe(`The service answered ${status}: the reason`);
    if (status >= 500) expect(found.kind).toBe('upstream');
  });

  it.each<readonly [number, string, string, number | undefined]>([
    [429, 'Retry-After', '7', 7000],
    [503, 'Retry-After', 'DATE', 90_000],
    [503, 'Retry-After', 'soon', undefined],
    [400, 'Retry-After', '7', undefined],
  ])('of status %d honours %s: %s', async (status, name, value, expected) => {
    const date = new Date(Math.ceil(clock.now() / 1000) * 1000 + 90_000);
    stub.answer = (_request, response) =>
      response.writeHead(status, { [name]: value === 'DATE' ? date.toUTCString() : value }).end();

    const { retryAfterMs } = await failure();

    if (expected === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs((retryAfterMs ?? 0) - expected)).toBeLessThanOrEqual(1000);
  });

  it('is what the settings take for none', async () => {
    stub.answer = answerJson('{"found":false}', 404);

    expect(await output({ response: { successStatus: ['2xx', 404] } })).toEqual({ found: false });
    stub.answer = answerJson('{}', 201);
    expect(await failure({ response: { successStatus: [200] } })).toMatchObject({
      code: 'agent.status-unexpected',
    });
  });

  it.each<readonly [string, JsonObject, string]>([
    ['a private address', { url: 'http://127.0.0.1:PORT/' }, 'agent.egress-refused'],
    ['a private address in disguise', { url: 'http://0x7f.1:PORT/' }, 'agent.egress-refused'],
    ['bad settings', { url: 'nowhere' }, 'agent.not-configured'],
    ['a missing value', { body: '{{ input.gone }}' }, 'template.variable-missing'],
    ['an expression without a value', { response: { transform: 'body.gone' } }, 'expression.failed'],
    ['a slow answer', { timeoutMs: 20, url: 'http://127.0.0.2:PORT/slow' }, 'agent.egress-timed-out'],
    ['a large answer', { maxResponseBytes: 4 }, 'agent.egress-too-large'],
    ['JSON that is none', { url: 'http://127.0.0.2:PORT/broken' }, 'agent.answer-broken'],
    ['JSON that is too deep', { url: 'http://127.0.0.2:PORT/deep' }, 'agent.answer-broken'],
    ['a connection that breaks', { url: 'http://127.0.0.2:PORT/break' }, 'agent.answer-broken'],
  ])('for %s is %#', async (_, settings, code) => {
    stub.answer = ({ path }, response, raw) => {
      if (path === '/slow') return;
      response.setHeader('content-type', path === '/' ? 'text/plain' : 'application/json');
      if (path !== '/break') response.end(path === '/deep' ? '['.repeat(100_000) : 'hello');
      else response.write('[1', () => raw.socket.destroy());
    };
    if (settings['url'] === 'http://127.0.0.2:PORT/deep')
      stub.answer = answerJson(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    const withPort = JSON.parse(JSON.stringify(settings).replace('PORT', String(stub.port))) as JsonObject;

    expect(await failure(withPort)).toMatchObject({ code });
  });

  it('for an address that nobody serves is unreachable, and worth another try', async () => {
    const closed = new HttpStub();
    await closed.start();
    const url = closed.url('/?key=canary');
    await closed.stop();

    expect(await failure({ url })).toEqual({
      code: 'agent.unreachable',
      kind: 'unavailable',
      message: '127.0.0.2 could not be reached (ECONNREFUSED).',
      retryable: true,
    });
  });
});

it('publishes its settings as JSON Schema', () => {
  expect(provider.settingsSchema()).toMatchObject({
    type: 'object',
    required: ['url'],
    properties: {
      method: { enum: expect.arrayContaining(['GET', 'POST']) },
      auth: { oneOf: expect.any(Array) },
    },
  });
});
