import type { AgentOutcome, AgentPart, AgentRequest } from '../../agent.provider.js';
import type { Json, JsonObject } from '../../../kernel/json.js';
import { EchoProvider } from '../echo/echo.provider.js';
import { ScriptedProvider } from './scripted.provider.js';

interface Invoked {
  readonly outcome: AgentOutcome;
  readonly parts: readonly AgentPart[];
}

interface InvokeOptions {
  readonly settings?: JsonObject;
  readonly failures?: number;
  readonly signal?: AbortSignal;
  readonly provider?: ScriptedProvider | EchoProvider;
}

/** What a provider does with an input. */
async function invoke(input: Json, options: InvokeOptions = {}): Promise<Invoked> {
  const { settings = {}, failures = 0, provider = new ScriptedProvider() } = options;
  const { signal = new AbortController().signal } = options;
  const request: AgentRequest = {
    agentKey: 'scripted',
    settings,
    input,
    namespace: 'default',
    idempotencyKey: 'run_1:a:1',
    attempt: failures + 1,
    failures,
  };
  const journal = { turns: [], record: () => Promise.resolve() };
  const stream = provider.invoke(request, { signal, journal });
  const parts: AgentPart[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return { outcome: next.value, parts };
    parts.push(next.value);
  }
}

const parsed = (text: string): Json => JSON.parse(text) as Json;

describe('the scripted agent', () => {
  it.each<readonly [string, Json, Json]>([
    ['its output', { output: { a: [1] } }, { a: [1] }],
    ['null without one', {}, null],
    ['null as one', { output: null }, null],
    [
      'keys of any name',
      parsed('{"output":{"__proto__":1,"constructor":2}}'),
      parsed('{"__proto__":1,"constructor":2}'),
    ],
  ])('answers %s', async (_, script, output) => {
    const { outcome } = await invoke(script);

    expect(JSON.stringify(outcome)).toBe(JSON.stringify({ status: 'completed', output }));
  });

  it('says what it spent', async () => {
    const usage = { inputTokens: 1, outputTokens: 2, costMicros: 3 };

    expect((await invoke({ output: 1, usage })).outcome).toEqual({
      status: 'completed',
      output: 1,
      usage: { inputTokens: 1, outputTokens: 2 },
      costMicros: 3,
    });
  });

  it('streams its deltas first', async () => {
    expect((await invoke({ deltas: ['a', 'b'] })).parts).toEqual([
      { type: 'delta', text: 'a' },
      { type: 'delta', text: 'b' },
    ]);
  });

  it('makes its files', async () => {
    const artifacts = [{ name: 'a.txt', mediaType: 'text/plain', text: 'ä' }];

    expect((await invoke({ artifacts })).outcome).toMatchObject({
      artifacts: [{ name: 'a.txt', mediaType: 'text/plain', content: Buffer.from('ä') }],
    });
  });

  it.each<readonly [string, Json, number, string]>([
    ['an error and no number: always', { error: {} }, 9, 'failed'],
    ['a number, before it', { failTimes: 2 }, 1, 'failed'],
    ['a number, at it', { failTimes: 2 }, 2, 'completed'],
    ['no times', { failTimes: 0, error: {} }, 0, 'completed'],
  ])('fails as told: %s', async (_, script, failures, status) => {
    expect((await invoke(script, { failures })).outcome.status).toBe(status);
  });

  it('fails with the error that it was told, and by default with one that may pass', async () => {
    const error = { code: 'agent.overloaded', message: 'full', retryable: false, retryAfterMs: 7 };

    expect((await invoke({ error })).outcome).toEqual({
      status: 'failed',
      failure: { kind: 'upstream', ...error },
    });
    expect((await invoke({ failTimes: 1 })).outcome).toEqual({
      status: 'failed',
      failure: {
        kind: 'upstream',
        code: 'agent.scripted-failure',
        message: 'the script says so',
        retryable: true,
      },
    });
  });

  it('takes from its settings what the input does not say', async () => {
    const settings = { output: 'settings', failTimes: 1 };

    expect((await invoke({}, { settings })).outcome.status).toBe('failed');
    expect((await invoke({ failTimes: 0 }, { settings })).outcome).toMatchObject({ output: 'settings' });
    expect((await invoke({ failTimes: 0, output: 'input' }, { settings })).outcome).toMatchObject({
      output: 'input',
    });
  });

  it('ends its delay when it is aborted', async () => {
    const leave = new AbortController();
    const invoked = invoke({ delayMs: 3_600_000 }, { signal: leave.signal });
    leave.abort();

    await expect(invoked).rejects.toThrow();
  });

  it.each<readonly [string, Json, string]>([
    ['a text', 'output', 'expected an object'],
    ['a list', [], 'expected an object'],
    ['an unknown field', { outptu: 1 }, 'outptu'],
    ['a negative delay', { delayMs: -1 }, '/delayMs'],
    ['a delay of more than an hour', { delayMs: 3_600_001 }, '/delayMs'],
    ['a code without a dot', { error: { code: 'oops' } }, '/error/code'],
  ])('fails for a script that is not valid: %s', async (_, script, message) => {
    const { outcome } = await invoke(script);

    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.input-invalid', message: expect.stringContaining(message), issues: [{}] },
    });
  });

  it('checks settings like a script', () => {
    const provider = new ScriptedProvider();

    expect(provider.check({ output: 1 })).toEqual([]);
    expect(provider.check({ delayMs: 'long' })).toMatchObject([{ pointer: '/delayMs' }]);
  });
});

describe('the echo agent', () => {
  const provider = new EchoProvider();

  it.each<readonly [string, Json]>([
    ['null', null],
    ['a text with braces', '{{ not evaluated }}'],
    ['keys of any name', parsed('{"__proto__":{"a":1},"constructor":2}')],
  ])('answers its input as it came: %s', async (_, input) => {
    const { outcome, parts } = await invoke(input, { provider });

    expect(outcome).toEqual({ status: 'completed', output: input });
    expect((outcome as { output: Json }).output).toBe(input);
    expect(parts).toEqual([]);
  });

  it('takes no settings, whatever their names', () => {
    expect(provider.check({})).toEqual([]);
    expect(provider.check({ 'a/b': 1 })).toMatchObject([{ pointer: '/a~1b', code: 'field.unknown' }]);
  });
});
