import { agentScene } from '../../test/support/agents.js';
import { HandProvider, type Call } from '../../test/support/hand-provider.js';
import { until } from '../../test/support/until.js';
import { AppError } from '../kernel/failure.js';
import { agentErrors } from './agent.errors.js';
import type { AgentPart } from './agent.provider.js';
import type { AgentCallService } from './agent-call.service.js';
import { type AgentCall } from './agent-call.service.js';

let provider: HandProvider;
let agents: AgentCallService;
let gone: AbortController;

beforeEach(() => {
  provider = new HandProvider();
  agents = agentScene([provider]).calls;
  gone = new AbortController();
});

const aCall = (more: Partial<AgentCall> = {}): AgentCall => ({
  namespace: 'default',
  reference: 'hand',
  input: { prompt: 'hi' },
  idempotencyKey: 'once',
  signal: gone.signal,
  ...more,
});

/** The call, once it has been made. */
async function theCall(): Promise<Call> {
  await until(() => provider.calls.length > 0, 'the call is made');
  return provider.calls[0] as Call;
}

describe('calling an agent once', () => {
  it('gives it the input, its settings and the key, and no run', async () => {
    const outcome = agents.execute(aCall());
    const call = await theCall();
    call.complete('done', { costMicros: 3 });

    expect(await outcome).toMatchObject({ status: 'completed', output: 'done', costMicros: 3 });
    expect(call.request).toEqual({
      agentKey: 'hand',
      settings: {},
      input: { prompt: 'hi' },
      namespace: 'default',
      idempotencyKey: 'once',
      attempt: 1,
      failures: 0,
    });
  });

  it('streams what comes before the outcome', async () => {
    const parts: AgentPart[] = [];
    const outcome = agents.execute(aCall({ onPart: (part) => parts.push(part) }));
    (await theCall()).stream({ type: 'delta', text: 'a' });
    await until(() => parts.length === 1, 'it has come');
    (await theCall()).complete();
    await outcome;

    expect(parts).toEqual([{ type: 'delta', text: 'a' }]);
  });

  it('remembers the turns of the call itself, and counts what they spent', async () => {
    const outcome = agents.execute(aCall());
    const call = await theCall();
    await call.journal.record({ body: 'one', usage: { inputTokens: 2 } });
    await call.journal.record({ body: 'two', usage: { inputTokens: 3 }, costMicros: 1 });

    expect(call.journal.turns.map(({ turn, body }) => [turn, body])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    call.complete(1, { usage: { outputTokens: 4 }, costMicros: 5 });
    expect(await outcome).toMatchObject({ usage: { inputTokens: 5, outputTokens: 4 }, costMicros: 6 });
  });

  it('keeps the outcome of a tool as JSON has it, and refuses what is none', async () => {
    const outcome = agents.execute(aCall());
    const call = await theCall();
    const tool = { name: 'clock', callId: 'c1', input: {}, output: { at: new Date(0) } as never };
    await call.journal.record({ body: null, tool: { ...tool, isError: false } });

    expect(call.journal.turns).toEqual([
      { turn: 1, body: null, tool: { ...tool, output: { at: '1970-01-01T00:00:00.000Z' } } },
    ]);
    for (const wrong of [null, { ...tool, name: 1 }, { ...tool, input: 1n }, { ...tool, output: 1n }]) {
      await expect(call.journal.record({ body: null, tool: wrong as never })).rejects.toMatchObject({
        failure: { code: 'agent.output-invalid' },
      });
    }
    call.complete(1);
    expect(await outcome).toMatchObject({ status: 'completed' });
  });

  it.each<readonly [string, (call: HandProvider['calls'][number]) => void, string]>([
    [
      'fails',
      (call) => {
        call.fail({ code: 'agent.refused' });
      },
      'agent.refused',
    ],
    [
      'throws',
      (call) => {
        call.throw(new Error('boom'));
      },
      'agent.crashed',
    ],
    [
      'throws a failure',
      (call) => {
        call.throw(AppError.of(agentErrors['agent.input-invalid'], 'no'));
      },
      'agent.input-invalid',
    ],
    [
      'answers what is not JSON',
      (call) => {
        call.complete(1n as never);
      },
      'agent.output-invalid',
    ],
    [
      'answers nothing',
      (call) => {
        call.answer(undefined);
      },
      'agent.output-invalid',
    ],
  ])('answers a failed outcome when it %s', async (_, act, code) => {
    const outcome = agents.execute(aCall());
    act(await theCall());

    expect(await outcome).toMatchObject({ status: 'failed', failure: { code } });
  });

  it('of a key that nobody has is an error', async () => {
    await expect(agents.execute(aCall({ reference: 'nobody' }))).rejects.toMatchObject({
      failure: { code: 'agent.not-found' },
    });
    await expect(agents.executeWithin(aCall({ reference: 'nobody' }), 1_000)).rejects.toMatchObject({
      failure: { code: 'agent.not-found' },
    });
  });

  it('does not ask on when nobody waits any more', async () => {
    const parts: AgentPart[] = [];
    const outcome = agents.execute(aCall({ onPart: (part) => parts.push(part) }));
    const call = await theCall();
    call.isObedient = false;
    gone.abort();
    call.stream({ type: 'delta', text: 'late' });

    expect(await outcome).toMatchObject({ status: 'failed' });
    expect(parts).toEqual([]);
  });
});

describe('calling an agent within a time', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });

  afterEach(() => {
    jest.advanceTimersByTime(10_000); // a provider that goes on is given up then
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('answers what comes in time', async () => {
    const outcome = agents.executeWithin(aCall(), 1_000);
    jest.advanceTimersByTime(999);
    (await theCall()).complete(1);

    expect(await outcome).toMatchObject({ status: 'completed', output: 1 });
  });

  it('aborts the call past it, and answers at once though the provider goes on', async () => {
    const outcome = agents.executeWithin(aCall(), 1_000);
    const call = await theCall();
    call.isObedient = false;
    jest.advanceTimersByTime(1_000);

    expect(await outcome).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.timed-out', retryable: true, details: { timeoutMs: 1_000 } },
    });
    expect(call.isAborted).toBe(true);
    call.throw(new Error('late'));
  });

  it('aborts the call when the caller goes away', async () => {
    const outcome = agents.executeWithin(aCall(), 1_000);
    const call = await theCall();
    gone.abort();

    expect(await outcome).toMatchObject({ status: 'failed' });
    expect(call.isAborted).toBe(true);
  });

  it('makes no call for a caller that has gone already', async () => {
    gone.abort();

    expect(await agents.executeWithin(aCall(), 1_000)).toMatchObject({ status: 'failed' });
    expect(provider.calls).toEqual([]);
  });
});
