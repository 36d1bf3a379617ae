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

const call = { runId: 'run_1', signal: new AbortController().signal };

it('asks again while the record is away or full', async () => {
  const ask = after(failing('store.full'), failing('store.unavailable'));

  expect(await untilAnswered(ask, call)).toBe('here');
});

it.each(['agent.offline', 'store.text-refused'])('does not ask again after %s', async (code) => {
  await expect(untilAnswered(after(failing(code)), call)).rejects.toMatchObject({ failure: { code } });
});

it('ends its wait when nobody waits for the answer any more', async () => {
  const gone = new AbortController();
  const asked = untilAnswered(() => Promise.reject(failing('store.full')), { ...call, signal: gone.signal });
  gone.abort();

  await expect(asked).rejects.toMatchObject({ failure: { code: 'store.full' } });
});

it('tells a call outside of a run at once', async () => {
  const asked = untilAnswered(after(failing('store.full')), { signal: call.signal });

  await expect(asked).rejects.toMatchObject({ failure: { code: 'store.full' } });
});
