import { AppError } from '../kernel/failure.js';
import { untilAnswered } from './until-answered.js';

function failing(code: string): AppError {
  return new AppError({ code, kind: 'unavailable', message: 'no luck', retryable: true });
}

/** Answers once it has thrown each of these. */
function after(...errors: readonly Error[]): () => Promise<string> {
  const left = [...errors];
  return () => {
    const error = left.shift();
    return error === undefined ? Promise.resolve('here') : Promise.reject(error);
  };
}

const { signal } = new AbortController();

it('asks again while the record is away or full', async () => {
  const ask = after(failing('store.full'), failing('store.unavailable'));

  expect(await untilAnswered(ask, signal)).toBe('here');
});

it.each(['agent.offline', 'store.text-refused'])('does not ask again after %s', async (code) => {
  await expect(untilAnswered(after(failing(code)), signal)).rejects.toMatchObject({ failure: { code } });
});

it('ends its wait when nobody waits for the answer any more', async () => {
  const gone = new AbortController();
  const asked = untilAnswered(() => Promise.reject(failing('store.full')), gone.signal);
  gone.abort();

  await expect(asked).rejects.toMatchObject({ failure: { code: 'store.full' } });
});
