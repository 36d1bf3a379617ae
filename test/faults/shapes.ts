/** The graphs of a load, about six steps each: all of them complete when nothing is lost. */
import type { JsonObject } from '../../src/kernel/json.js';

/** How long calls take, in milliseconds: enough that faults meet some of them. */
const CALL_MS = 60;

type Step = Readonly<Record<string, unknown>>;

function call(id: string, dependsOn: readonly string[] = [], more: Step = {}): Step {
  const input = { delayMs: CALL_MS, of: id };
  return { id, agent: 'target', input, ...(dependsOn.length > 0 && { dependsOn }), ...more };
}

function chain(): readonly Step[] {
  return ['a', 'b', 'c', 'd', 'e', 'f'].map((id, n, ids) => call(id, ids.slice(Math.max(0, n - 1), n)));
}

function diamond(): readonly Step[] {
  const sides = ['b', 'c', 'd', 'e'];
  return [call('a'), ...sides.map((id) => call(id, ['a'])), call('f', sides)];
}

function fanOut(): readonly Step[] {
  const ids = Array.from({ length: 20 }, (_, n) => `b${n}`);
  return [
    call('a'),
    ...ids.map((id) => ({ id, agent: 'echo', input: { from: '{{ steps.a.output.attempt }}', id } })),
    call('z', ids),
  ];
}

/** The first call of `flaky` for a step is always refused. */
function retries(): readonly Step[] {
  const retry = { maxAttempts: 3, initialIntervalMs: 200, jitter: 'none' };
  const flaky = { agent: 'flaky', retry };
  return [
    call('a'),
    call('b', ['a'], flaky),
    call('c', ['a'], flaky),
    call('d', ['b', 'c']),
    call('e', ['d'], flaky),
    call('f', ['e']),
  ];
}

function conditions(): readonly Step[] {
  return [
    call('a'),
    call('even', ['a'], { when: 'input.n % 2.0 == 0.0' }),
    call('odd', ['a'], { when: 'input.n % 2.0 != 0.0' }),
    call('merged', ['even', 'odd']),
    { id: 'pause', kind: 'wait', durationMs: 300, dependsOn: ['merged'] },
    call('last', ['pause']),
  ];
}

function map(): readonly Step[] {
  return [
    call('a'),
    call('m', ['a'], { forEach: { items: '[1, 2, 3, 4, 5, 6]', maxConcurrency: 3 } }),
    call('z', ['m']),
  ];
}

function programs(): readonly Step[] {
  return [
    { id: 'a', agent: 'program', input: { n: '{{ input.n }}' } },
    call('b', ['a']),
    { id: 'c', agent: 'program', input: { n: '{{ steps.a.output.doubled }}' }, dependsOn: ['b'] },
    call('d', ['c']),
    { id: 'e', kind: 'transform', expression: 'steps.c.output.doubled + 1.0', dependsOn: ['d'] },
    call('f', ['e']),
  ];
}

function models(): readonly Step[] {
  const asks = (id: string, dependsOn: readonly string[]): Step => ({
    ...{ id, agent: 'claude', input: { prompt: 'Say hello to {{ input.n }}.' }, dependsOn },
  });
  return [
    call('a'),
    asks('b', ['a']),
    asks('c', ['a']),
    call('d', ['b', 'c']),
    asks('e', ['d']),
    call('f', ['e']),
  ];
}

/** All that call `limited` at once wait for one of its places. */
function limits(): readonly Step[] {
  const limited = { agent: 'limited' };
  return [
    call('a', [], limited),
    ...['b', 'c', 'd', 'e'].map((id) => call(id, ['a'], limited)),
    call('f', ['b', 'c', 'd', 'e']),
  ];
}

/** Next to no work: for what is asked of starts alone. */
function single(): readonly Step[] {
  return [{ id: 'a', agent: 'echo', input: { n: '{{ input.n }}' } }];
}

/** Steps that take their time and no core. */
function waiting(): readonly Step[] {
  const slow = { input: { delayMs: 400 } };
  return [call('a', [], slow), call('b', ['a'], slow), call('c', ['a'], slow), call('d', ['b', 'c'], slow)];
}

/** Long enough that who follows it may be cut off and come back several times. Calls nobody outside. */
function long(): readonly Step[] {
  return Array.from({ length: 16 }, (_, n) => ({
    ...{ id: `s${n}`, agent: 'scripted', input: { delayMs: 100, output: { text: `♪ \u2028 ${n}` } } },
    ...(n > 0 && { dependsOn: [`s${n - 1}`] }),
  }));
}

/** Waits for somebody for ever. */
function parked(): readonly Step[] {
  return [{ id: 'go', kind: 'signal', signal: 'go' }];
}

const MIXED = { chain, diamond, fanOut, retries, conditions, map, programs, models, limits };

const SHAPES = { ...MIXED, single, waiting, long, parked };

/** The name of a graph. */
export type Shape = keyof typeof SHAPES;

/** The graphs of a mixed load, in the order in which it takes them. */
export const MIXED_SHAPES = Object.keys(MIXED) as readonly Shape[];

/** The body of a start. */
export function startOf(shape: Shape, n: number): JsonObject {
  const definition = {
    name: shape,
    steps: SHAPES[shape](),
    ...(shape === 'fanOut' && { maxParallelSteps: 20 }),
  };
  return { definition, input: { n }, tags: [shape] } as unknown as JsonObject;
}

/** The agents that graphs call, beside those of the target, as they are created over REST. */
export const PROGRAM_AGENT = {
  ...{ key: 'program', kind: 'code' },
  settings: { source: 'export default (input) => ({ doubled: 2 * Number(input.n) });', timeoutMs: 60_000 },
};
