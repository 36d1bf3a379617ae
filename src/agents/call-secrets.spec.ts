import { AppError, type Failure } from '../kernel/failure.js';
import { agentErrors } from './agent.errors.js';
import { CallSecrets } from './call-secrets.js';

const VALUE = 'canary "1/ü';

const secrets = (): CallSecrets =>
  new CallSecrets(
    {
      get: (namespace, name) =>
        name === 'known' && namespace === 'mine'
          ? Promise.resolve(VALUE)
          : Promise.reject(AppError.of(agentErrors['agent.not-found'], `no ${name}`)),
    },
    { namespace: 'mine', signal: new AbortController().signal },
  );

it('finds a value in its namespace, or says why there is none', async () => {
  expect(await secrets().find('known')).toEqual({ ok: true, value: VALUE });
  expect(await secrets().find('unknown')).toMatchObject({ ok: false, failure: { message: 'no unknown' } });
});

it.each([
  ['as it is', VALUE],
  ['in JSON', 'canary \\"1/ü'],
  ['in a URL', encodeURIComponent(VALUE)],
  ['in base64', Buffer.from(VALUE).toString('base64')],
  ['in base64url', Buffer.from(VALUE).toString('base64url')],
])('takes a value out of text %s', async (_, form) => {
  const call = secrets();
  await call.find('known');

  expect(call.censor(`a ${form} b ${form}`)).toBe('a [redacted] b [redacted]');
});

it('takes values out of JSON, keys included, and leaves the rest as it is', async () => {
  const call = secrets();
  const json = JSON.parse(
    '{"__proto__":{"a":["x canary","canary \\"1/ü"]},"canary \\"1/ü":1,"constructor":null}',
  ) as never;
  expect(call.censorJson(json)).toBe(json);

  await call.find('known');

  expect(JSON.stringify(call.censorJson(json))).toBe(
    '{"__proto__":{"a":["x canary","[redacted]"]},"[redacted]":1,"constructor":null}',
  );
  expect(
    call.censorFailure({ code: 'a.b', kind: 'upstream', message: `no ${VALUE}`, retryable: false }),
  ).toEqual({ code: 'a.b', kind: 'upstream', message: 'no [redacted]', retryable: false });
});

it('hides what was made from a secret, and no text that is found everywhere', () => {
  const call = secrets();
  call.hide('user:word');
  call.hide('a');

  expect(call.censor('a user:word dXNlcjp3b3Jk')).toBe('a [redacted] [redacted]');
});

it.each([
  ['waits for it while the record is away', 'run_1', { ok: true, value: VALUE }],
  ['is told that the record is away', undefined, { ok: false, failure: { code: 'store.unavailable' } }],
])('%s: a call of run %s', async (_, runId, expected) => {
  const away: Failure = { code: 'store.unavailable', kind: 'unavailable', message: 'away', retryable: true };
  const get = jest.fn().mockRejectedValueOnce(new AppError(away)).mockResolvedValue(VALUE);
  const call = new CallSecrets({ get }, { namespace: 'mine', runId, signal: new AbortController().signal });

  expect(await call.find('known')).toMatchObject(expected);
});
