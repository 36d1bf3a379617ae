import { APICallError, InvalidPromptError } from 'ai';

import { brokenAnswer, failureOfCall } from './call-failure.js';
import { ConnectionError } from './model.js';

const SECRET = 'sk-canary-3f9a';
const CONTEXT = { now: Date.parse('2026-11-23'), secret: SECRET, addressFrom: 'ANTHROPIC_BASE_URL' };

function anAnswer(
  statusCode: number,
  message: string,
  responseHeaders: Record<string, string> = {},
): APICallError {
  const data = { type: 'error', error: { type: 'some_error', message } };
  const url = `https://api.example/v1?key=${SECRET}`;
  return new APICallError({ message, url, requestBodyValues: {}, statusCode, responseHeaders, data });
}

describe('failureOfCall', () => {
  it('keeps what the provider said, with status, type and request id', () => {
    expect(failureOfCall(anAnswer(400, 'max_tokens: too large', { 'request-id': 'req_1' }), CONTEXT)).toEqual(
      {
        code: 'agent.request-refused',
        kind: 'unprocessable',
        message: 'The model provider answered 400 (some_error): max_tokens: too large',
        retryable: false,
        details: { status: 400, type: 'some_error', requestId: 'req_1' },
      },
    );
  });

  it('takes the key out of what the provider said', () => {
    const failure = failureOfCall(anAnswer(401, `invalid key ${SECRET}, yes, ${SECRET}`), CONTEXT);

    expect(failure.message).toContain('invalid key [redacted], yes, [redacted]');
    expect(JSON.stringify(failure)).not.toContain(SECRET);
  });

  it('cuts a message of any length', () => {
    expect(failureOfCall(anAnswer(500, 'x'.repeat(100_000)), CONTEXT).message.length).toBeLessThan(2_100);
  });

  it('names a delay only where another try makes sense', () => {
    const headers = { 'retry-after': '3' };

    expect(failureOfCall(anAnswer(503, 'Busy', headers), CONTEXT).retryAfterMs).toBe(3_000);
    expect(failureOfCall(anAnswer(400, 'Bad', headers), CONTEXT)).not.toHaveProperty('retryAfterMs');
  });

  it('reads an error event of a stream', () => {
    const event = { type: 'overloaded_error', message: 'Overloaded', statusCode: 529, isRetryable: true };

    expect(failureOfCall(event, CONTEXT)).toMatchObject({
      code: 'agent.overloaded',
      message: 'The model provider answered 529 (overloaded_error): Overloaded',
      details: { status: 529, type: 'overloaded_error' },
    });
  });

  it('names the system error of a connection that never was, and no address', () => {
    const system = Object.assign(new Error(`getaddrinfo ENOTFOUND user:${SECRET}@host`), {
      code: 'ENOTFOUND',
    });
    const error = new ConnectionError(new TypeError('fetch failed', { cause: system }));

    expect(failureOfCall(new Error('wrapped', { cause: error }), CONTEXT)).toEqual({
      code: 'agent.unreachable',
      kind: 'unavailable',
      message:
        'The model provider could not be reached (ENOTFOUND). Check the network and ANTHROPIC_BASE_URL.',
      retryable: true,
    });
  });

  it('does not send again what can not be sent', () => {
    const error = new InvalidPromptError({ prompt: SECRET, message: `no message in ${SECRET}` });

    expect(failureOfCall(error, CONTEXT)).toMatchObject({ code: 'agent.request-refused', retryable: false });
    expect(JSON.stringify(failureOfCall(error, CONTEXT))).not.toContain(SECRET);
  });

  it('shows nothing of an error that it does not know but its code', () => {
    const error = Object.assign(new TypeError(`header ${SECRET} is invalid`), { code: 'UND_ERR_SOCKET' });

    expect(failureOfCall(error, CONTEXT)).toEqual(brokenAnswer('it can not be read (UND_ERR_SOCKET)'));
  });

  const cyclic = new Error('round');
  cyclic.cause = cyclic;

  it.each([[undefined], [null], ['text'], [42], [{ statusCode: 'x' }], [cyclic], [{ code: SECRET }]])(
    'is total: %s is a broken answer',
    (error) => {
      expect(failureOfCall(error, CONTEXT)).toEqual(brokenAnswer('it can not be read'));
    },
  );

  it('counts an unreadable success as a broken answer', () => {
    expect(failureOfCall(anAnswer(200, 'Failed to process'), CONTEXT)).toMatchObject({
      code: 'agent.answer-broken',
      retryable: true,
    });
  });
});
