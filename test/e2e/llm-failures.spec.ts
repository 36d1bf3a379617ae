import { aFreePort } from '../support/free-port.js';
import {
  failureIn,
  KEY,
  keyIn,
  KeptJournal,
  LlmScene,
  NOW,
  PROTOCOLS,
  textOf,
} from '../support/llm-scene.js';
import {
  body,
  delayed,
  dropped,
  endedEarly,
  failing,
  garbled,
  gated,
  LlmStub,
  message,
  status,
  type StubAnswer,
} from '../support/llm-stub.js';

const NEVER = new Promise<never>(() => undefined);

let scene: LlmScene;

afterEach(async () => {
  await scene.stop();
});

describe.each(PROTOCOLS)('LlmProvider over %s', (protocol) => {
  beforeEach(async () => {
    scene = await LlmScene.start(protocol);
  });

  describe('failures', () => {
    it.each([
      [400, 'agent.request-refused', false],
      [401, 'agent.unauthorized', false],
      [402, 'agent.request-refused', false],
      [403, 'agent.unauthorized', false],
      [404, 'agent.request-refused', false],
      [413, 'agent.request-too-large', false],
      [429, 'agent.rate-limited', true],
      [500, 'agent.unavailable', true],
      [502, 'agent.unavailable', true],
      [503, 'agent.unavailable', true],
      [504, 'agent.unavailable', true],
      [529, 'agent.overloaded', true],
    ])('answers status %i with %s, retryable: %s', async (code, expected, retryable) => {
      const failure = await scene.failureOf(
        status(code, { type: 'some_error', message: 'as the provider put it' }),
      );

      expect(failure).toMatchObject({
        code: expected,
        retryable,
        details: { status: code, type: 'some_error' },
      });
      expect(failure.message).toContain('as the provider put it');
      expect(scene.stub.calls).toBe(1);
    });

    it('calls once: retries are left to the engine', async () => {
      scene.stub.queue(status(529, { type: 'overloaded_error', message: 'Overloaded' }), message());

      await scene.invoke();

      expect(scene.stub.calls).toBe(1);
    });

    it.each([
      ['seconds', { 'retry-after': '7' }, 7_000],
      ['an HTTP date', { 'retry-after': new Date(NOW + 90_000).toUTCString() }, 90_000],
      [
        'the reset of the limit that is used up',
        {
          'anthropic-ratelimit-requests-remaining': '12',
          'anthropic-ratelimit-requests-reset': new Date(NOW + 60_000).toISOString(),
          'anthropic-ratelimit-tokens-remaining': '0',
          'anthropic-ratelimit-tokens-reset': new Date(NOW + 20_000).toISOString(),
        },
        20_000,
      ],
    ])('takes the delay from %s', async (_what, headers, retryAfterMs) => {
      const failure = await scene.failureOf(
        status(429, { type: 'rate_limit_error', message: 'Slow down' }, headers),
      );

      expect(failure).toMatchObject({ code: 'agent.rate-limited', retryAfterMs });
    });

    it('names no delay where the provider names none', async () => {
      expect(await scene.failureOf(status(503, 'Service Unavailable'))).not.toHaveProperty('retryAfterMs');
    });

    it('keeps the id by which the provider knows the request', async () => {
      const failure = await scene.failureOf(
        status(500, { type: 'api_error', message: 'Oops' }, { 'request-id': 'req_7' }),
      );

      expect(failure.details).toEqual({ status: 500, type: 'api_error', requestId: 'req_7' });
    });

    it.each([
      ['a connection cut before any text', dropped(0)],
      ['a connection cut within the text', dropped(1)],
      ['a stream that ends before any text', endedEarly(0)],
      ['a stream that ends within the text', endedEarly(1)],
      ['an event that is not JSON', garbled(1)],
      ['an event that is not JSON before any text', garbled(0)],
      ['a stream of nothing', body('', 'text/event-stream')],
      ['a web page', body('<html>Welcome</html>', 'text/html')],
      ['JSON that breaks off', body('{"id":"msg_1","content":[', 'application/json')],
    ])('answers %s with agent.answer-broken', async (_what, answer) => {
      expect(await scene.failureOf(answer)).toMatchObject({ code: 'agent.answer-broken', retryable: true });
    });

    it.each([
      ['overloaded_error', 'agent.overloaded'],
      ['rate_limit_error', 'agent.rate-limited'],
      ['api_error', 'agent.unavailable'],
      ['invalid_request_error', 'agent.request-refused'],
      ['brand_new_error', 'agent.answer-broken'],
    ])('answers %s within the stream with %s', async (type, expected) => {
      expect((await scene.failureOf(failing(1, { type, message: 'Sorry' }))).code).toBe(expected);
    });

    it('reports what a broken call has consumed as far as the provider told', async () => {
      const usage = { input_tokens: 1_000, output_tokens: 500, cache_read_input_tokens: 200 };
      scene.stub.queue(dropped(2, { usage, deltas: ['a', 'b', 'c'] }));

      const { outcome, parts } = await scene.invoke();

      // Chat completions tell their usage with the last event only.
      const told = {
        usage: { inputTokens: 1_200, outputTokens: 1, cacheReadTokens: 200, cacheWriteTokens: 0 },
        costMicros: 3_075,
      };
      expect(textOf(parts)).toBe('ab');
      expect(outcome).toEqual({
        status: 'failed',
        failure: expect.objectContaining({ code: 'agent.answer-broken' }),
        ...(protocol === 'anthropic' && told),
      });
    });

    it('answers a refused connection with agent.unreachable', async () => {
      const nowhere = `http://127.0.0.1:${await aFreePort()}/v1`;

      const failure = failureIn(
        (
          await scene.invoke({
            config: { anthropicBaseUrl: nowhere, openaiCompatibleBaseUrl: nowhere },
          })
        ).outcome,
      );

      expect(failure).toMatchObject({ code: 'agent.unreachable', retryable: true });
      expect(failure.message).toContain('ECONNREFUSED');
    });

    it('does not carry the key to where a redirect points', async () => {
      const other = await LlmStub.start();
      const location = `${other.baseUrl}/elsewhere`;
      const failure = await scene.failureOf(status(307, 'Moved', { location }));

      expect(failure).toMatchObject({ code: 'agent.request-refused', details: { status: 307 } });
      expect(other.calls).toBe(0);
      await other.stop();
    });
  });

  describe('abort', () => {
    it('closes the connection within the stream and ends soon', async () => {
      scene.stub.queue(gated(1, NEVER, { deltas: ['first', 'second'] }));
      const provider = await scene.provider();
      const abort = new AbortController();
      const stream = provider.invoke(scene.request(), { signal: abort.signal, journal: new KeptJournal() });
      await stream.next();

      abort.abort(new Error('cancelled'));

      expect((await stream.next()).done).toBe(true);
      expect(await scene.stub.request(1).closed).toBe(false);
    });

    it('closes the connection before the first byte', async () => {
      scene.stub.queue(delayed(NEVER, message()));
      const provider = await scene.provider();
      const abort = new AbortController();
      const stream = provider.invoke(scene.request(), { signal: abort.signal, journal: new KeptJournal() });
      const next = stream.next();
      await scene.stub.received(1);

      abort.abort(new Error('cancelled'));

      expect(await next).toMatchObject({ done: true, value: { status: 'failed' } });
      expect(await scene.stub.request(1).closed).toBe(false);
    });

    it('calls nobody when it came first', async () => {
      const provider = await scene.provider();
      const context = { signal: AbortSignal.abort(), journal: new KeptJournal() };

      expect(await provider.invoke(scene.request(), context).next()).toMatchObject({ done: true });
      expect(scene.stub.calls).toBe(0);
    });

    it('is the same as leaving the stream early: the connection closes', async () => {
      scene.stub.queue(gated(1, NEVER));
      const provider = await scene.provider();
      const context = { signal: new AbortController().signal, journal: new KeptJournal() };
      const stream = provider.invoke(scene.request(), context);
      await stream.next();

      await stream.return({ status: 'completed', output: null });

      expect(await scene.stub.request(1).closed).toBe(false);
    });
  });

  describe('the key', () => {
    const echo: StubAnswer = (request, response) =>
      status(400, {
        type: 'invalid_request_error',
        message: `bad key ${String(keyIn(request))}`,
      })(request, response);

    it.each<[string, StubAnswer]>([
      ['a provider that quotes it', echo],
      ['a refusal', status(401, { type: 'authentication_error', message: 'invalid x-api-key' })],
      ['a cut connection', dropped(1)],
      ['an unreadable answer', garbled(1)],
      ['a good answer', message()],
    ])('is in no outcome, part or turn after %s', async (_what, answer) => {
      scene.stub.queue(answer);

      const invoked = await scene.invoke();

      expect(keyIn(scene.stub.request(1))).toBe(KEY);
      expect(JSON.stringify(invoked)).not.toContain(KEY);
    });
  });
});
