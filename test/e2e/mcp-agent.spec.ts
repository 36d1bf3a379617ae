import { randomUUID } from 'node:crypto';

import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import type { AgentOutcome } from '../../src/agents/agent.provider.js';
import { McpServerInvoker } from '../../src/agents/providers/mcp/mcp-server.invoker.js';
import { McpProvider } from '../../src/agents/providers/mcp/mcp.provider.js';
import { ToolServerInvoker } from '../../src/agents/tool-server.invoker.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { EgressConfig } from '../../src/platform/config/app.config.js';
import { EgressModule } from '../../src/platform/egress/egress.module.js';
import { SecretSource } from '../../src/platform/ports/secret.source.js';
import { aFreePort } from '../support/free-port.js';
import { failureIn, KeptJournal, KeptSecrets } from '../support/llm-scene.js';
import { McpStub } from '../support/mcp-stub.js';
import { until } from '../support/until.js';

let stub: McpStub;
let provider: McpProvider;
const secrets = new Map<string, string>();

beforeEach(async () => {
  stub = await McpStub.start();
  const platform = [
    { provide: EgressConfig, useValue: { allowedHosts: ['127.0.0.1'] } },
    { provide: SecretSource, useValue: new KeptSecrets(secrets) },
  ];
  @Module({})
  class ConfigModule {}
  const config = { module: ConfigModule, global: true, providers: platform, exports: platform };
  const module = await Test.createTestingModule({
    imports: [config, EgressModule],
    providers: [McpProvider, { provide: ToolServerInvoker, useClass: McpServerInvoker }],
  }).compile();
  provider = module.get(McpProvider);
});

afterEach(async () => {
  secrets.clear();
  await stub.stop();
});

function settings(tool: string, more: JsonObject = {}): JsonObject {
  return { url: stub.url, tool, ...more };
}

async function call(
  input: Json,
  own: JsonObject,
  signal = new AbortController().signal,
): Promise<AgentOutcome> {
  const request = {
    agentKey: 'adder',
    settings: own,
    input,
    namespace: 'default',
    idempotencyKey: randomUUID(),
    attempt: 1,
    failures: 0,
  };
  const next = await provider.invoke(request, { signal, journal: new KeptJournal() }).next();
  if (next.done !== true) throw new Error('a tool streams nothing');
  return next.value;
}

describe('McpProvider', () => {
  it('calls the tool with the input and answers with text and structure', async () => {
    expect(await call({ a: 2, b: 3 }, settings('add'))).toEqual({
      status: 'completed',
      output: { text: '5', structured: { sum: 5 } },
    });
    expect(stub.calls).toEqual([{ tool: 'add', input: { a: 2, b: 3 } }]);
  });

  it('hands on what is not text as it came', async () => {
    expect(await call({}, settings('draw'))).toMatchObject({
      output: { text: 'a dot', content: [{ type: 'text' }, { type: 'image', mimeType: 'image/png' }] },
    });
  });

  it.each<[string, Json, JsonObject, string]>([
    ['a tool that says so', {}, { tool: 'fail' }, 'agent.tool-failed'],
    ['arguments that the tool refuses', { a: 'two' }, { tool: 'add' }, 'agent.tool-failed'],
    ['a tool that there is none of', {}, { tool: 'subtract' }, 'agent.tool-unknown'],
    ['an input that is no object', [1, 2], { tool: 'add' }, 'agent.input-invalid'],
    ['an address that may not be called', {}, { url: 'http://127.0.0.2:8080/mcp' }, 'agent.egress-refused'],
    ['a secret that is missing', {}, { auth: { type: 'bearer', secret: 'gone' } }, 'secret.not-found'],
    ['settings that are wrong', {}, { tool: '' }, 'agent.not-configured'],
  ])('fails on %s', async (_what, input, more, code) => {
    expect(failureIn(await call(input, settings('add', more))).code).toBe(code);
  });

  it('says that nobody is at the address', async () => {
    const own = settings('add', { url: `http://127.0.0.1:${String(await aFreePort())}/mcp` });

    expect(failureIn(await call({}, own))).toMatchObject({ code: 'agent.unreachable', retryable: true });
    expect(failureIn(await call({}, own)).message).toContain('ECONNREFUSED');
  });

  it.each([
    [401, 'agent.unauthorized', false],
    [404, 'agent.request-refused', false],
    [429, 'agent.rate-limited', true],
    [503, 'agent.unavailable', true],
  ])('answers status %i with %s', async (status, code, retryable) => {
    stub.refuseWith = status;

    expect(failureIn(await call({}, settings('add')))).toMatchObject({
      code,
      retryable,
      details: { status },
    });
  });

  it('says what the tool said when it failed', async () => {
    const failure = failureIn(await call({}, settings('fail')));

    expect(failure.message).toBe('The tool "fail" says that it failed: it did not work');
  });

  it('sends headers and token by their secrets, and shows neither', async () => {
    secrets.set('token', 'canary-token').set('team', 'canary-team');
    const more = {
      headers: { 'x-team': { secret: 'team' }, 'x-plain': 'yes' },
      auth: { type: 'bearer', secret: 'token' },
    };

    const outcome = await call({}, settings('fail', more));

    expect(stub.headers[0]).toMatchObject({
      authorization: 'Bearer canary-token',
      'x-team': 'canary-team',
      'x-plain': 'yes',
    });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it('ends soon when it is aborted', async () => {
    stub.gate = new Promise(() => undefined);
    const abort = new AbortController();
    const outcome = call({}, settings('wait'), abort.signal);
    await until(() => stub.calls.length === 1, 'the tool is called');

    abort.abort(new Error('cancelled'));

    expect((await outcome).status).toBe('failed');
  });

  it('is available when the server lists the tool, without calling it', async () => {
    expect(await provider.health(settings('add'))).toEqual({ status: 'available' });
    expect(await provider.health(settings('subtract'))).toEqual({
      status: 'offline',
      reason: 'The MCP server has no tool "subtract".',
    });
    stub.refuseWith = 503;
    expect(await provider.health(settings('add'))).toMatchObject({ status: 'offline' });
    expect(stub.calls).toEqual([]);
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ['nothing', {}, ['/url', '/tool']],
    ['an address with a password', { url: 'http://a:b@x/', tool: 'add' }, ['/url']],
    ['a header that is none', { url: 'http://x/', tool: 'add', headers: { 'a b': 'c' } }, ['/headers/a b']],
    ['an unknown field', { url: 'http://x/', tool: 'add', token: 'x' }, ['/token']],
  ])('finds what is wrong with %s', (_what, own, pointers) => {
    expect(provider.check(own).map(({ pointer }) => pointer)).toEqual(pointers);
  });
});
