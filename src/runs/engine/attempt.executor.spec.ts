/** What a provider may do wrong, and that the run goes on. */
import type { AgentProvider } from '../../agents/agent.provider.js';
import { agentErrors } from '../../agents/agent.errors.js';
import { AppError } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { EngineScene, handStep } from '../../../test/support/engine-scene.js';
import type { Call } from '../../../test/support/hand-provider.js';
import { until } from '../../../test/support/until.js';
import type { RunView } from '../domain/view.js';

let scene: EngineScene;

beforeEach(async () => {
  scene = await EngineScene.start();
});

afterEach(async () => {
  await scene.stop();
});

/** How a run of one step ends, whose one attempt goes as told. */
async function endOf(act: (call: Call) => void, more: Readonly<Record<string, Json>> = {}): Promise<RunView> {
  const id = await scene.run({ retry: { maxAttempts: 1 }, steps: [{ ...handStep('a'), ...more }] });
  act(await scene.call());
  await until(async () => (await scene.read(id)).endedAt !== undefined, 'the run ends');
  return scene.read(id);
}

const HOSTILE = JSON.parse('{"__proto__":1,"toJSON":2,"constructor":3}') as Json;
const OUTPUT_INVALID = agentErrors['agent.output-invalid'].code;

describe('a provider that throws', () => {
  it.each<readonly [string, unknown, string, string]>([
    ['an error', new Error('boom'), 'agent.crashed', 'the provider threw: boom'],
    ['a text', 'boom', 'agent.crashed', 'the provider threw: boom'],
    ['nothing', undefined, 'agent.crashed', 'the provider threw: undefined'],
    [
      'a failure',
      AppError.of(agentErrors['agent.not-configured'], 'a key is missing'),
      'agent.not-configured',
      'a key is missing',
    ],
    ['a failure that is none', new AppError({ code: 1 } as never), 'agent.crashed', 'the provider threw: '],
  ])('%s ends its attempt', async (_, thrown, code, message) => {
    const { failure } = await endOf((call) => {
      call.throw(thrown);
    });

    expect(failure?.code).toBe(code);
    expect(failure?.message).toContain(message);
  });

  it('says at most 500 characters of it', async () => {
    const { failure } = await endOf((call) => {
      call.throw(new Error('x'.repeat(10_000)));
    });

    expect(failure?.message.length).toBeLessThan(600);
  });

  it('is tried again', async () => {
    const id = await scene.run({ retry: { initialIntervalMs: 0 }, steps: [handStep('a')] });
    (await scene.call(0)).throw(new Error('boom'));
    (await scene.call(1)).complete(1);
    await scene.logged(id, 'run.completed');
  });

  it('before it streams anything ends its attempt', async () => {
    scene.provider.invoke = (): ReturnType<AgentProvider['invoke']> => {
      throw new Error('at once');
    };
    const id = await scene.run({ retry: { maxAttempts: 1 }, steps: [handStep('a')] });
    await scene.logged(id, 'run.failed');

    expect((await scene.read(id)).failure?.code).toBe('agent.crashed');
  });
});

describe('an output of more than 50 MiB', () => {
  it('is a failure that is not tried again', async () => {
    const part = 'x'.repeat(1_048_576);
    const { failure } = await endOf((call) => {
      call.complete(Array.from({ length: 51 }, () => part));
    });

    expect(failure).toMatchObject({ code: 'value.too-large', retryable: false });
  });
});

describe('a time limit between parts', () => {
  const idle = { idleTimeoutMs: 1_000 };

  it('ends an attempt out of which nothing comes', async () => {
    const id = await scene.run({ retry: { maxAttempts: 1 }, steps: [{ ...handStep('a'), ...idle }] });
    const call = await scene.call();
    await scene.pass(900);
    call.stream({ type: 'delta', text: 'x' });
    await scene.pass(999);
    expect((await scene.read(id)).status).toBe('running');
    await scene.pass(1);
    await scene.logged(id, 'run.failed');

    expect((await scene.read(id)).failure).toMatchObject({
      code: 'step.timed-out',
      details: { idleTimeoutMs: 1_000 },
    });
    expect(call.isAborted).toBe(true);
  });

  it('is over with the attempt', async () => {
    const { status } = await endOf((call) => {
      call.complete(1);
    }, idle);
    await scene.pass(5_000);

    expect(status).toBe('completed');
  });
});

describe('an outcome', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const failed = {
    status: 'failed',
    failure: { code: 'a.b', kind: 'upstream', message: '', retryable: false },
  };

  it.each<readonly [string, unknown]>([
    ['that is missing', undefined],
    ['that is a text', 'completed'],
    ['without a status', { output: 1 }],
    ['with another status', { status: 'waiting' }],
    ['that failed without a failure', { status: 'failed' }],
    ['whose failure lacks a code', { status: 'failed', failure: { ...failed.failure, code: undefined } }],
    [
      'whose failure asks for a delay that is no number',
      { status: 'failed', failure: { ...failed.failure, retryAfterMs: Number.NaN } },
    ],
    [
      'whose failure has details without JSON',
      { status: 'failed', failure: { ...failed.failure, details: { n: 1n } } },
    ],
    ['with a cost that is no number', { status: 'completed', output: 1, costMicros: Number.NaN }],
    ['with a cost in fractions', { status: 'completed', output: 1, costMicros: 0.5 }],
    ['with a negative cost', { ...failed, costMicros: -1 }],
    ['with usage that is no record', { status: 'completed', output: 1, usage: [1] }],
    ['with usage in texts', { status: 'completed', output: 1, usage: { inputTokens: '5' } }],
    ['with a function', { status: 'completed', output: (): number => 1 }],
    ['with a number beyond JSON', { status: 'completed', output: 1n }],
    ['with a circle', { status: 'completed', output: circle }],
    ['that nests too deep', { status: 'completed', output: nested(65) }],
  ])('%s fails the attempt as invalid', async (_, outcome) => {
    const { failure } = await endOf((call) => {
      call.answer(outcome);
    });

    expect(failure).toMatchObject({ code: OUTPUT_INVALID, details: { stepId: 'a' } });
  });

  it.each<readonly [string, unknown, Json]>([
    ['nothing as null', undefined, null],
    ['a date as text', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['what has no JSON within an object as nothing', { a: undefined, b: 1 }, { b: 1 }],
    ['numbers that JSON does not know as null', [Number.NaN, Infinity], [null, null]],
    ['keys of any name', HOSTILE, HOSTILE],
  ])('has %s', async (_, output, json) => {
    const { output: kept } = await endOf((call) => {
      call.complete(output as Json);
    });

    expect(JSON.stringify(kept)).toBe(JSON.stringify({ a: json }));
  });

  it('that its schema refuses fails the attempt, and what it spent is counted', async () => {
    const { failure, costUsd } = await endOf(
      (call) => {
        call.complete({ score: 'high' }, { costMicros: 5 });
      },
      { outputSchema: { type: 'object', properties: { score: { type: 'number' } } } },
    );

    expect(failure).toMatchObject({ code: OUTPUT_INVALID, issues: [{ pointer: '/score' }] });
    expect(costUsd).toBe(0.000005);
  });
});

describe('a provider that ignores its signal', () => {
  it('is out of time all the same, and what it says afterwards changes nothing', async () => {
    const id = await scene.run({
      retry: { maxAttempts: 2, initialIntervalMs: 0 },
      steps: [{ ...handStep('a'), timeoutMs: 100 }],
    });
    const first = await scene.call(0);
    first.isObedient = false;
    await scene.pass(99);
    expect(first.isAborted).toBe(false);

    await scene.pass(1);
    expect(first.isAborted).toBe(true);
    const second = await scene.call(1);
    first.complete('late');
    await scene.settled();
    second.complete('in time');
    await scene.logged(id, 'run.completed');

    expect((await scene.read(id)).output).toEqual({ a: 'in time' });
  });

  it('is not asked on when its attempt has ended', async () => {
    let parts = 0;
    let hasEnded = false;
    scene.provider.invoke = async function* (): ReturnType<AgentProvider['invoke']> {
      try {
        for (;;) {
          await new Promise((resolve) => setImmediate(resolve));
          parts += 1;
          yield { type: 'delta', text: 'on and on' };
        }
      } finally {
        hasEnded = true;
      }
    };
    await scene.run({ steps: [{ ...handStep('a'), timeoutMs: 100 }] });
    await until(() => parts > 3, 'it streams');

    await scene.pass(100);

    expect(hasEnded).toBe(true);
  });

  it('streams nothing into the run once its attempt has ended', async () => {
    const id = await scene.run({
      retry: { maxAttempts: 1 },
      steps: [{ ...handStep('a'), timeoutMs: 100, onError: 'continue' }, handStep('b')],
    });
    const first = await scene.call(0);
    first.isObedient = false;
    const deltas: string[] = [];
    const leave = new AbortController();
    const following = (async (): Promise<void> => {
      const options = { namespace: 'default', runId: id, afterSeq: 0, signal: leave.signal, deltas: true };
      for await (const item of scene.feed.follow(options))
        if (item.kind === 'delta') deltas.push(item.delta.stepId);
    })();
    await scene.pass(100);

    first.stream({ type: 'delta', text: 'late' });
    await scene.settled();
    (await scene.call(1)).complete();
    await following;

    expect(deltas).toEqual([]);
  });
});

it('fails a step whose agent is not there any more', async () => {
  const id = await scene.run({ steps: [handStep('a')] });
  await scene.stop();
  const later = new EngineScene({ on: scene, withoutHand: true });
  await later.recovery.start();
  await scene.logged(id, 'run.failed');

  expect((await later.read(id)).failure?.code).toBe('agent.not-found');
  await later.stop();
});

function nested(depth: number): Json {
  return depth === 0 ? 0 : [nested(depth - 1)];
}
