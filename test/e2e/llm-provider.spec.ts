import type { Turn } from '../../src/agents/agent.provider.js';
import { isJsonObject, type JsonObject } from '../../src/kernel/json.js';
import { aRequest, failureIn, KEY, KeptJournal, LlmScene, SETTINGS, textOf } from '../support/llm-scene.js';
import { dropped, gated, message } from '../support/llm-stub.js';

let scene: LlmScene;

beforeEach(async () => {
  scene = await LlmScene.start();
});

afterEach(async () => {
  await scene.stop();
});

describe('LlmProvider', () => {
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
    const stream = provider.invoke(aRequest(), context);

    expect(await stream.next()).toEqual({ done: false, value: { type: 'delta', text: 'first' } });
    gate.resolve(undefined);
    expect(await stream.next()).toEqual({ done: false, value: { type: 'delta', text: 'second' } });
    expect((await stream.next()).done).toBe(true);
  });

  it('sends the prompt to the configured model with key and idempotency key', async () => {
    scene.stub.queue(message());

    await scene.invoke();

    expect(sent()).toMatchObject({
      model: 'claude-sonnet-4-5',
      stream: true,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hello' }] }],
    });
    expect(scene.stub.request(1).headers).toMatchObject({
      'x-api-key': KEY,
      'idempotency-key': 'run_1:brief:1',
    });
  });

  it.each(['', '/', '/v1', '/v1/'])('takes a base address that ends in "%s"', async (end) => {
    scene.stub.queue(message());
    const anthropicBaseUrl = new URL(scene.stub.baseUrl).origin + end;

    expect((await scene.invoke({ config: { anthropicBaseUrl } })).outcome.status).toBe('completed');
    expect(scene.stub.request(1).path).toBe('/v1/messages');
  });

  it('encodes an idempotency key that a header can not carry', async () => {
    scene.stub.queue(message());

    await scene.invoke({ request: { ...aRequest(), idempotencyKey: 'chanson d’été' } });

    expect(scene.stub.request(1).headers['idempotency-key']).toBe(encodeURIComponent('chanson d’été'));
  });

  it('sends a conversation with what the settings say', async () => {
    scene.stub.queue(message());
    const settings = {
      ...SETTINGS,
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

    await scene.invoke({ request: aRequest({ messages }, settings) });

    expect(sent()).toMatchObject({
      model: 'claude-haiku-4-5',
      system: [{ type: 'text', text: 'Be brief' }],
      temperature: 0.5,
      max_tokens: 99,
      messages: messages.map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] })),
    });
  });

  it('lets the input win over the settings', async () => {
    scene.stub.queue(message());
    const settings = { ...SETTINGS, system: 'Be brief', temperature: 0.5, maxOutputTokens: 99 };
    const input = { prompt: 'Hi', system: 'Be long', temperature: 0, maxOutputTokens: 7 };

    await scene.invoke({ request: aRequest(input, settings) });

    expect(sent()).toMatchObject({ system: [{ text: 'Be long' }], temperature: 0, max_tokens: 7 });
  });

  it('refuses an input that it can not use without calling anybody', async () => {
    const { outcome } = await scene.invoke({ request: aRequest({ prompt: ' ', colour: 'red' }) });

    expect(failureIn(outcome)).toMatchObject({ code: 'agent.input-invalid', retryable: false });
    expect(failureIn(outcome).issues?.map(({ pointer }) => pointer)).toEqual(['/prompt', '/colour']);
    expect(scene.stub.calls).toBe(0);
  });

  it('names a setting that the model does not take in the turn', async () => {
    scene.stub.queue(message());

    const { turns } = await scene.invoke({
      request: aRequest({ prompt: 'Hi', temperature: 1 }, { ...SETTINGS, model: 'claude-opus-5' }),
    });

    expect(sent()).not.toHaveProperty('temperature');
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
    const request = aRequest({ prompt: 'How fast?' }, { ...SETTINGS, objectSchema });

    it('sends the schema and answers with the object', async () => {
      scene.stub.queue(message({ deltas: ['{"bp', 'm":', '120,"__proto__":1}'] }));

      const { outcome, parts } = await scene.invoke({ request });

      expect(sent()).toMatchObject({
        output_config: { format: { type: 'json_schema', schema: { required: ['bpm'] } } },
      });
      expect(parts).toHaveLength(3);
      expect(JSON.stringify(outcome)).toContain('"object":{"bpm":120,"__proto__":1}');
    });

    it('completes without an object when the answer was cut off', async () => {
      scene.stub.queue(message({ deltas: ['{"bpm":'], stopReason: 'max_tokens' }));

      const { outcome } = await scene.invoke({ request });

      expect(outcome).toEqual({ status: 'completed', output: { text: '{"bpm":', finishReason: 'length' } });
    });

    it('fails on anything else, keeps what it cost, and asks again in the next attempt', async () => {
      scene.stub.queue(message({ deltas: ['About 120'] }), message({ deltas: ['{"bpm":120}'] }));

      const first = await scene.invoke({ request });
      const second = await scene.invoke({ request, turns: first.turns });

      expect(failureIn(first.outcome).code).toBe('agent.output-invalid');
      expect(first.turns[0]).toMatchObject({ costMicros: 105 });
      expect(second.outcome).toMatchObject({ output: { object: { bpm: 120 } } });
      expect(scene.stub.calls).toBe(2);
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
            cacheWriteTokens: 10,
            reasoningTokens: 20,
          },
          // 100 × $3 + 50 × $15 + 1000 × $0.30 + 10 × $3.75, per million
          costMicros: 1388,
        },
      ]);
      expect(outcome).not.toHaveProperty('usage');
      expect(outcome).not.toHaveProperty('costMicros');
    });

    it('marks the cost of a model without a price as estimated', async () => {
      scene.stub.queue(message());

      const { turns } = await scene.invoke({ config: { claudeModel: 'in-house-7b' } });

      expect(turns[0]).toMatchObject({ body: { costEstimated: true }, costMicros: 525 });
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
      const stream = provider.invoke(aRequest(), context);
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
      const stream = provider.invoke(aRequest(), context);
      await stream.next();
      await stream.next();

      await expect(stream.next()).rejects.toThrow('the claim is lost');
    });

    it('gives the recorded answer to a later attempt, which calls nobody', async () => {
      scene.stub.queue(message({ deltas: ['Once'], stopReason: 'max_tokens' }));
      const first = await scene.invoke();
      const turns = JSON.parse(JSON.stringify(first.turns)) as Turn[];

      const second = await scene.invoke({ turns, config: { anthropicApiKey: undefined } });

      expect(second).toEqual({ outcome: first.outcome, parts: [], turns: first.turns });
      expect(scene.stub.calls).toBe(1);
    });

    it('stays empty when the call fails', async () => {
      scene.stub.queue(dropped(1));

      expect((await scene.invoke()).turns).toEqual([]);
    });
  });

  describe('not configured', () => {
    it.each([
      ['no key', { anthropicApiKey: undefined }, 'Set ANTHROPIC_API_KEY.'],
      ['no model', { claudeModel: '' }, 'Set CLAUDE_MODEL.'],
      ['neither', { anthropicApiKey: undefined, claudeModel: '' }, 'Set ANTHROPIC_API_KEY and CLAUDE_MODEL.'],
      ['a key that no header can carry', { anthropicApiKey: `${KEY}\n${KEY}` }, 'ANTHROPIC_API_KEY has'],
      ['an address that is none', { anthropicBaseUrl: 'proxy:8080' }, 'ANTHROPIC_BASE_URL is not'],
    ])('fails and is offline with %s', async (_what, config, reason) => {
      const { outcome } = await scene.invoke({ config });
      const health = await (await scene.provider(config)).health(SETTINGS);

      expect(failureIn(outcome)).toMatchObject({ code: 'agent.not-configured', retryable: false });
      expect(failureIn(outcome).message).toContain(reason);
      expect(health).toEqual({ status: 'offline', reason: failureIn(outcome).message });
      expect(JSON.stringify(outcome)).not.toContain(KEY);
      expect(scene.stub.calls).toBe(0);
    });

    it('is available with key and model, without calling anybody', async () => {
      expect(await (await scene.provider()).health(SETTINGS)).toEqual({ status: 'available' });
      expect(
        await (await scene.provider({ claudeModel: '' })).health({ ...SETTINGS, model: 'claude-opus-5' }),
      ).toEqual({
        status: 'available',
      });
      expect(scene.stub.calls).toBe(0);
    });
  });
});

describe('LlmStub', () => {
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

function sent(call = 1): JsonObject {
  const { body: json } = scene.stub.request(call);
  if (!isJsonObject(json)) throw new Error('the request has no JSON object');
  return json;
}
