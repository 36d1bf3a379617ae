import type { Turn } from '../../src/agents/agent.provider.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../src/kernel/json.js';
import type { ProviderConfig } from '../../src/platform/config/app.config.js';
import { failureIn, KEY, keyIn, KeptJournal, LlmScene, PROTOCOLS, textOf } from '../support/llm-scene.js';
import { dropped, gated, message } from '../support/llm-stub.js';
import type { StubMessage } from '../support/llm-wire.js';

let scene: LlmScene;

afterEach(async () => {
  await scene.stop();
});

describe.each(PROTOCOLS)('LlmProvider over %s', (protocol) => {
  const isAnthropic = protocol === 'anthropic';

  beforeEach(async () => {
    scene = await LlmScene.start(protocol);
  });

  it('streams the text as deltas and completes with all of it', async () => {
    scene.stub.queue(message({ deltas: ['Drums', ' and', ' bass', ' ♪'] }));

    const { outcome, parts } = await scene.invoke();

    expect(parts).toEqual(['Drums', ' and', ' bass', ' ♪'].map((text) => ({ type: 'delta', text })));
    expect(outcome).toEqual({
      status: 'completed',
      output: { text: textOf(parts), finishReason: 'stop' },
    });
  });

  it('hands a delta on before the answer is complete', async () => {
    const gate = Promise.withResolvers<undefined>();
    scene.stub.queue(gated(1, gate.promise, { deltas: ['first', 'second'] }));
    const provider = await scene.provider();
    const context = { signal: new AbortController().signal, journal: new KeptJournal() };
    const stream = provider.invoke(scene.request(), context);

    expect(await stream.next()).toEqual({ done: false, value: { type: 'delta', text: 'first' } });
    gate.resolve(undefined);
    expect(await stream.next()).toEqual({ done: false, value: { type: 'delta', text: 'second' } });
    expect((await stream.next()).done).toBe(true);
  });

  it('sends the prompt to the configured model with key and idempotency key', async () => {
    scene.stub.queue(message());

    await scene.invoke();

    expect(scene.sent()).toMatchObject({ model: 'claude-sonnet-4-5', stream: true });
    expect(said()).toEqual([['user', 'Say hello']]);
    expect(keyIn(scene.stub.request(1))).toBe(KEY);
    expect(scene.stub.request(1).headers['idempotency-key']).toBe('run_1:brief:1');
  });

  it.each(['', '/', '/v1', '/v1/'])('takes a base address that ends in "%s"', async (end) => {
    scene.stub.queue(message());
    const address = new URL(scene.stub.baseUrl).origin + end;
    const config = { anthropicBaseUrl: address, openaiCompatibleBaseUrl: address };

    expect((await scene.invoke({ config })).outcome.status).toBe('completed');
    expect(scene.stub.request(1).path).toBe(isAnthropic ? '/v1/messages' : '/v1/chat/completions');
  });

  it('encodes an idempotency key that a header can not carry', async () => {
    scene.stub.queue(message());

    await scene.invoke({ request: { ...scene.request(), idempotencyKey: 'chanson d’été' } });

    expect(scene.stub.request(1).headers['idempotency-key']).toBe(encodeURIComponent('chanson d’été'));
  });

  it('sends a conversation with what the settings say', async () => {
    scene.stub.queue(message());
    const settings = {
      ...scene.settings,
      model: 'claude-haiku-4-5',
      system: 'Be brief',
      temperature: 0.5,
      maxOutputTokens: 99,
    };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'A {{ pattern }}' },
    ];

    await scene.invoke({ request: scene.request({ messages }, settings) });

    expect(scene.sent()).toMatchObject({
      model: 'claude-haiku-4-5',
      temperature: 0.5,
      max_tokens: 99,
    });
    expect(said()).toEqual([['system', 'Be brief'], ...messages.map(({ role, content }) => [role, content])]);
  });

  it('lets the input win over the settings', async () => {
    scene.stub.queue(message());
    const settings = { system: 'Be brief', temperature: 0.5, maxOutputTokens: 99 };
    const input = { prompt: 'Hi', system: 'Be long', temperature: 0, maxOutputTokens: 7 };

    await scene.invoke({ request: scene.request(input, settings) });

    expect(scene.sent()).toMatchObject({ temperature: 0, max_tokens: 7 });
    expect(said()).toEqual([
      ['system', 'Be long'],
      ['user', 'Hi'],
    ]);
  });

  it('refuses an input that it can not use without calling anybody', async () => {
    const { outcome } = await scene.invoke({ request: scene.request({ prompt: ' ', colour: 'red' }) });

    expect(failureIn(outcome)).toMatchObject({ code: 'agent.input-invalid', retryable: false });
    expect(failureIn(outcome).issues?.map(({ pointer }) => pointer)).toEqual(['/prompt', '/colour']);
    expect(scene.stub.calls).toBe(0);
  });

  // A compatible endpoint is sent everything.
  if (isAnthropic)
    it('names a setting that the model does not take in the turn', async () => {
      scene.stub.queue(message());

      const { turns } = await scene.invoke({
        request: scene.request({ prompt: 'Hi', temperature: 1 }, { model: 'claude-opus-5' }),
      });

      expect(scene.sent()).not.toHaveProperty('temperature');
      expect(turns[0]?.body).toHaveProperty('warnings', [expect.stringContaining('temperature')]);
    });

  it.each([
    ['max_tokens', 'length'],
    ['refusal', 'content-filter'],
    ['stop_sequence', 'stop'],
    ['something_new', 'other'],
  ])('completes an answer that ended with %s as %s', async (stopReason, finishReason) => {
    scene.stub.queue(message({ deltas: ['So far'], stopReason }));

    const { outcome } = await scene.invoke();

    expect(outcome).toMatchObject({ status: 'completed', output: { text: 'So far', finishReason } });
  });

  it('completes an empty answer', async () => {
    scene.stub.queue(message({ deltas: [] }));

    expect((await scene.invoke()).outcome).toMatchObject({ status: 'completed', output: { text: '' } });
  });

  it('hands on the calls of tools that the model asks for', async () => {
    const toolUse = [{ id: 'toolu_1', name: 'render', input: { cycles: 4 } }];
    scene.stub.queue(message({ deltas: ['Let me see'], stopReason: 'tool_use', toolUse }));

    expect((await scene.invoke()).outcome).toMatchObject({
      output: { text: 'Let me see', finishReason: 'tool-calls', toolCalls: toolUse },
    });
  });

  describe('asked for an object', () => {
    const objectSchema = { type: 'object', properties: { bpm: { type: 'number' } }, required: ['bpm'] };
    const order = { input: { prompt: 'How fast?' }, settings: { objectSchema } };

    it('sends the schema and answers with the object', async () => {
      scene.stub.queue(message({ deltas: ['{"bp', 'm":', '120,"__proto__":1}'] }));

      const { outcome, parts } = await scene.invoke(order);

      expect(scene.sent()).toMatchObject(
        isAnthropic
          ? { output_config: { format: { type: 'json_schema', schema: { required: ['bpm'] } } } }
          : { response_format: { type: 'json_schema', json_schema: { schema: { required: ['bpm'] } } } },
      );
      expect(parts).toHaveLength(3);
      expect(JSON.stringify(outcome)).toContain('"object":{"bpm":120,"__proto__":1}');
    });

    it('takes the object out of a Markdown fence', async () => {
      scene.stub.queue(message({ deltas: ['```json\n{"bpm":120}\n```'] }));

      expect((await scene.invoke(order)).outcome).toMatchObject({ output: { object: { bpm: 120 } } });
    });

    it.each<[string, StubMessage, string]>([
      ['text', { deltas: ['About 120'] }, '/object: is missing: expected a JSON object and nothing else'],
      ['another kind of JSON', { deltas: ['[120]'] }, 'the answer is another kind of JSON'],
      ['an object of another shape', { deltas: ['{"bpm":"fast"}'] }, '/object/bpm: must be number'],
      ['half an object', { deltas: ['{"bpm":'], stopReason: 'max_tokens' }, '/object: is cut off'],
    ])('sends %s back with what is wrong', async (_what, first, told) => {
      scene.stub.queue(message(first), message({ deltas: ['{"bpm":120}'] }));

      const { outcome, turns } = await scene.invoke(order);

      expect(outcome).toMatchObject({ status: 'completed', output: { object: { bpm: 120 } } });
      expect(said(2)).toEqual([
        ['user', 'How fast?'],
        ['assistant', first.deltas?.join('')],
        ['user', expect.stringContaining(told)],
      ]);
      expect(turns).toMatchObject([{ costMicros: 105, body: { rejected: expect.any(String) } }, {}]);
    });

    it('asks each turn under a key of its own', async () => {
      scene.stub.queue(message({ deltas: ['?'] }), message({ deltas: ['{"bpm":1}'] }));

      await scene.invoke(order);

      expect(scene.stub.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
        'run_1:brief:1',
        'run_1:brief:1#2',
      ]);
    });

    it('gives up after two repairs, says what is wrong, and begins anew in the next attempt', async () => {
      const bad = message({ deltas: ['{"bpm":"fast"}'] });
      scene.stub.queue(bad, bad, bad, message({ deltas: ['{"bpm":120}'] }));

      const first = await scene.invoke(order);
      const second = await scene.invoke({ ...order, turns: first.turns });

      expect(failureIn(first.outcome)).toMatchObject({
        code: 'agent.output-invalid',
        retryable: false,
        issues: [{ pointer: '/object/bpm', code: 'schema.type' }],
      });
      expect(first.turns).toHaveLength(3);
      expect(second.outcome).toMatchObject({ output: { object: { bpm: 120 } } });
      expect(said(4)).toEqual([['user', 'How fast?']]);
    });

    it('goes on with a repair where a killed attempt left it', async () => {
      const bad = message({ deltas: ['no'] });
      scene.stub.queue(bad, message({ deltas: ['{"bpm":1}'] }));
      const whole = await scene.invoke(order);
      scene.stub.queue(bad, bad);

      const resumed = await scene.invoke({ ...order, turns: whole.turns.slice(0, 1) });

      expect(failureIn(resumed.outcome).code).toBe('agent.output-invalid');
      expect(said(3)).toEqual(said(2));
    });

    it('asks a model that declined no second time', async () => {
      scene.stub.queue(message({ deltas: ['I would rather not'], stopReason: 'refusal' }));

      const { outcome } = await scene.invoke(order);

      expect(failureIn(outcome).message).toContain('the model declined to answer');
      expect(scene.stub.calls).toBe(1);
    });

    it('takes as many repairs as the settings allow', async () => {
      scene.stub.queue(message({ deltas: ['no'] }));

      const { outcome } = await scene.invoke({ ...order, settings: { objectSchema, maxRepairs: 0 } });

      expect(failureIn(outcome).code).toBe('agent.output-invalid');
      expect(scene.stub.calls).toBe(1);
    });

    it('holds the whole output against the schema of the step, and takes that of the object from it', async () => {
      const outputSchema = {
        type: 'object',
        properties: { object: objectSchema, text: { type: 'string', maxLength: 20 } },
        required: ['object'],
      };
      scene.stub.queue(
        message({ deltas: ['{"bpm":120, "why": "because"}'] }),
        message({ deltas: ['{"bpm":120}'] }),
      );

      const { outcome } = await scene.invoke({ request: { ...scene.request(), outputSchema } });

      expect(outcome).toMatchObject({ status: 'completed', output: { object: { bpm: 120 } } });
      expect(said(2).at(-1)?.[1]).toContain('/text: must NOT have more than 20 characters');
    });
  });

  describe('journal', () => {
    it('holds the answer with its usage and cost, which the outcome does not repeat', async () => {
      const usage = {
        input_tokens: 100,
        output_tokens: 50,
        cache_read_input_tokens: 1000,
        cache_creation_input_tokens: 10,
        output_tokens_details: { thinking_tokens: 20 },
      };
      scene.stub.queue(message({ deltas: ['Done'], usage, model: 'claude-sonnet-4-5-20250929' }));

      const { outcome, turns } = await scene.invoke();

      expect(turns).toEqual([
        {
          turn: 1,
          body: {
            type: 'llm.answer',
            model: 'claude-sonnet-4-5-20250929',
            requestedModel: 'claude-sonnet-4-5',
            text: 'Done',
            finishReason: 'stop',
          },
          usage: {
            inputTokens: 1110,
            outputTokens: 50,
            cacheReadTokens: 1000,
            // Chat completions do not tell what was written to the cache: it counts as prompt.
            ...(isAnthropic && { cacheWriteTokens: 10 }),
            reasoningTokens: 20,
          },
          // 100 × $3 + 50 × $15 + 1000 × $0.30 + 10 × $3.75 (or $3), per million
          costMicros: isAnthropic ? 1388 : 1380,
        },
      ]);
      expect(outcome).not.toHaveProperty('usage');
      expect(outcome).not.toHaveProperty('costMicros');
    });

    it('marks the cost of a model without a price as estimated', async () => {
      scene.stub.queue(message());

      const { turns } = await scene.invoke({ settings: { model: 'in-house-7b' } });

      expect(turns[0]).toMatchObject({ body: { costEstimated: true }, costMicros: 525 });
    });

    if (!isAnthropic)
      it('estimates what an endpoint that does not tell it has consumed', async () => {
        scene.stub.queue(message({ deltas: ['x'.repeat(400)], hidesUsage: true }));

        const { turns } = await scene.invoke({ input: { prompt: 'y'.repeat(800) } });

        expect(turns[0]).toMatchObject({ body: { costEstimated: true }, usage: { outputTokens: 100 } });
        expect(turns[0]?.usage?.inputTokens).toBeGreaterThanOrEqual(200);
      });

    it('has the turn before the outcome is out', async () => {
      scene.stub.queue(message());
      const provider = await scene.provider();
      const durable = Promise.withResolvers<undefined>();
      const recorded = Promise.withResolvers<undefined>();
      const record = async (): Promise<void> => {
        recorded.resolve(undefined);
        await durable.promise;
      };
      const context = { signal: new AbortController().signal, journal: { turns: [], record } };
      const stream = provider.invoke(scene.request(), context);
      await stream.next();
      await stream.next();
      let isOut = false;

      const outcome = stream.next().then((next) => {
        isOut = true;
        return next.value;
      });
      await recorded.promise;

      expect(isOut).toBe(false);
      durable.resolve(undefined);
      expect(await outcome).toMatchObject({ status: 'completed' });
    });

    it('lets a lost claim through', async () => {
      scene.stub.queue(message());
      const provider = await scene.provider();
      const record = (): Promise<void> => Promise.reject(new Error('the claim is lost'));
      const context = { signal: new AbortController().signal, journal: { turns: [], record } };
      const stream = provider.invoke(scene.request(), context);
      await stream.next();
      await stream.next();

      await expect(stream.next()).rejects.toThrow('the claim is lost');
    });

    it('gives the recorded answer to a later attempt, which calls nobody', async () => {
      scene.stub.queue(message({ deltas: ['Once'], stopReason: 'max_tokens' }));
      const first = await scene.invoke();
      const turns = JSON.parse(JSON.stringify(first.turns)) as Turn[];

      const second = await scene.invoke({
        turns,
        config: { anthropicApiKey: undefined, openaiCompatibleBaseUrl: undefined },
      });

      expect(second).toEqual({ outcome: first.outcome, parts: [], turns: first.turns });
      expect(scene.stub.calls).toBe(1);
    });

    it('stays empty when the call fails', async () => {
      scene.stub.queue(dropped(1));

      expect((await scene.invoke()).turns).toEqual([]);
    });
  });

  describe('not configured', () => {
    const cases: readonly [string, Partial<ProviderConfig>, string][] = isAnthropic
      ? [
          ['no key', { anthropicApiKey: undefined }, 'Set ANTHROPIC_API_KEY.'],
          ['no model', { claudeModel: '' }, 'Set CLAUDE_MODEL.'],
          [
            'neither',
            { anthropicApiKey: undefined, claudeModel: '' },
            'Set ANTHROPIC_API_KEY and CLAUDE_MODEL.',
          ],
          ['a key that no header can carry', { anthropicApiKey: `${KEY}\n${KEY}` }, 'ANTHROPIC_API_KEY has'],
          ['an address that is none', { anthropicBaseUrl: 'proxy:8080' }, 'ANTHROPIC_BASE_URL is not'],
        ]
      : [
          ['no address', { openaiCompatibleBaseUrl: undefined }, 'Set OPENAI_COMPATIBLE_BASE_URL.'],
          [
            'a key that no header can carry',
            { openaiCompatibleApiKey: 'ü' },
            'OPENAI_COMPATIBLE_API_KEY has',
          ],
          ['an address that is none', { openaiCompatibleBaseUrl: 'x' }, 'OPENAI_COMPATIBLE_BASE_URL is not'],
        ];

    it.each(cases)('fails and is offline with %s', async (_what, config, reason) => {
      const { outcome } = await scene.invoke({ config });
      const health = await (await scene.provider(config)).health(scene.settings);

      expect(failureIn(outcome)).toMatchObject({ code: 'agent.not-configured', retryable: false });
      expect(failureIn(outcome).message).toContain(reason);
      expect(health).toEqual({ status: 'offline', reason: failureIn(outcome).message });
      expect(JSON.stringify(outcome)).not.toContain(KEY);
      expect(scene.stub.calls).toBe(0);
    });

    it('is available with all that it needs, without calling anybody', async () => {
      expect(await (await scene.provider()).health(scene.settings)).toEqual({ status: 'available' });
      const settings = { ...scene.settings, model: 'claude-opus-5' };
      expect(await (await scene.provider({ claudeModel: '' })).health(settings)).toEqual({
        status: 'available',
      });
      expect(scene.stub.calls).toBe(0);
    });
  });

  describe('an address in the settings', () => {
    const settings = (): JsonObject => ({ baseUrl: scene.stub.baseUrl, apiKey: { secret: 'model-key' } });

    it('is called with the secret that the settings name, and not with the key of the service', async () => {
      scene.secrets.set('model-key', 'sk-own-7c');
      scene.stub.queue(message());

      const { outcome } = await scene.invoke({
        settings: settings(),
        config: { anthropicBaseUrl: 'http://127.0.0.9' },
      });

      expect(outcome.status).toBe('completed');
      expect(keyIn(scene.stub.request(1))).toBe('sk-own-7c');
    });

    it('is not called without that secret', async () => {
      const { outcome } = await scene.invoke({ settings: settings() });

      expect(failureIn(outcome)).toMatchObject({ code: 'secret.not-found', retryable: false });
      expect(scene.stub.calls).toBe(0);
    });

    it('is not called where calls of the service may not go', async () => {
      scene.secrets.set('model-key', 'sk-own-7c');
      const baseUrl = scene.stub.baseUrl.replace('127.0.0.1', '127.0.0.2');

      const { outcome } = await scene.invoke({ settings: { ...settings(), baseUrl } });

      expect(failureIn(outcome)).toMatchObject({ code: 'agent.egress-refused', retryable: false });
      expect(JSON.stringify(outcome)).not.toContain('sk-own-7c');
    });
  });

  it('takes its system prompt from a template, whose variables the input may set', async () => {
    scene.prompts.set('tone', ({ mood, role }) => `Be ${mood as string}, ${role as string}`);
    scene.stub.queue(message());
    const system = { template: { name: 'tone' }, variables: { mood: 'glad', role: 'poet' } };

    await scene.invoke({ settings: { system }, input: { prompt: 'Hi', variables: { mood: 'sad' } } });

    expect(said()[0]).toEqual(['system', 'Be sad, poet']);
  });

  it('fails where there is no such template', async () => {
    const { outcome } = await scene.invoke({ settings: { system: { template: { name: 'gone' } } } });

    expect(failureIn(outcome).code).toBe('template.not-found');
    expect(scene.stub.calls).toBe(0);
  });
});

describe('LlmStub', () => {
  beforeEach(async () => {
    scene = await LlmScene.start('anthropic');
  });

  it('answers with one body where no stream is asked for', async () => {
    scene.stub.queue(message({ deltas: ['Hel', 'lo'] }));

    const headers = { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' };
    const response = await fetch(`${scene.stub.baseUrl}/messages`, {
      method: 'POST',
      headers,
      body: '{"model":"m"}',
    });

    expect(await response.json()).toMatchObject({ model: 'm', content: [{ type: 'text', text: 'Hello' }] });
    expect(await scene.stub.request(1).closed).toBe(true);
  });

  it('refuses a call that it has no answer for', async () => {
    expect((await scene.invoke()).outcome).toMatchObject({
      failure: { message: expect.stringContaining('no answer left') },
    });
  });
});

/** Role and text of every message of a call, the system prompt first, whichever protocol it came by. */
function said(call = 1): readonly (readonly [string, string])[] {
  const { system, messages } = scene.sent(call);
  const all = [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    ...(messages as Json[]),
  ];
  return all
    .filter(isJsonObject)
    .map((one) => [getOwn(one, 'role') as string, textIn(getOwn(one, 'content'))]);
}

function textIn(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  return (content as JsonObject[]).map((part) => getOwn(part, 'text') as string).join('');
}
