import fc from 'fast-check';

import { compileDefinition } from './compile-definition.js';
import { findWriteConflicts, type PlacedWrite } from './write-conflicts.js';

const step = (id: string, more: object = {}): object => ({ id, agent: 'echo', ...more });
const writes = (path: string): object => ({ writes: { [path]: '{{ output }}' } });
const loop = (id: string, steps: readonly object[], more: object = {}): object => ({
  id,
  kind: 'loop',
  repeat: { maxIterations: 2, body: { steps } },
  ...more,
});

function conflictsOf(steps: readonly object[], contextReducers: object = {}): readonly string[] {
  const result = compileDefinition({ steps, contextReducers }, { maxSteps: 100 });
  return result.ok ? [] : result.failure.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('writers of one place of the context', () => {
  it.each<readonly [string, readonly object[], object]>([
    ['one after the other', [step('a', writes('x')), step('b', { dependsOn: ['a'], ...writes('x') })], {}],
    [
      'one after the other over a step between',
      [
        step('c', { input: '{{ steps.b.output }}', ...writes('x') }),
        step('b', { dependsOn: ['a'] }),
        step('a', writes('x')),
      ],
      {},
    ],
    ['places beside each other', [step('a', writes('x.a')), step('b', writes('x.b'))], {}],
    ['a reducer that adds', [step('a', writes('x')), step('b', writes('x'))], { x: 'append' }],
    ['items that add', [step('a', { forEach: { items: [1] }, ...writes('x') })], { x: 'sum' }],
    ['iterations, which have an order', [step('a', { repeat: { maxIterations: 2 }, ...writes('x') })], {}],
    ['a loop and a step in it', [loop('l', [step('a', writes('x'))], writes('x'))], {}],
  ])('may be %s', (_, steps, reducers) => {
    expect(conflictsOf(steps, reducers)).toEqual([]);
  });

  it.each<readonly [string, readonly object[], object, string]>([
    ['beside each other', [step('a', writes('x')), step('b', writes('x'))], {}, '/steps/1/writes/x'],
    [
      'beside each other after the same step',
      [
        step('a'),
        step('b', { dependsOn: ['a'], ...writes('x') }),
        step('c', { dependsOn: ['a'], ...writes('x') }),
      ],
      {},
      '/steps/2/writes/x',
    ],
    [
      'a place and one in it',
      [step('a', writes('x')), step('b', writes('x.y.z'))],
      {},
      '/steps/1/writes/x.y.z',
    ],
    [
      'a place that is added to and one in it',
      [step('a', writes('x')), step('b', writes('x.y'))],
      { x: 'merge', 'x.y': 'sum' },
      '/steps/1/writes/x.y',
    ],
    [
      'in a loop and beside it',
      [loop('l', [step('a', writes('x'))]), step('b', writes('x'))],
      {},
      '/steps/1/writes/x',
    ],
    [
      'beside each other in a body',
      [loop('l', [step('a', writes('x')), step('b', writes('x'))])],
      {},
      '/steps/0/repeat/body/steps/1/writes/x',
    ],
    ['items', [step('a', { forEach: { items: [1] }, ...writes('x/y') })], {}, '/steps/0/writes/x~1y'],
    [
      'items of a loop',
      [loop('l', [step('a', writes('x'))], { forEach: { items: [1] } })],
      {},
      '/steps/0/repeat/body/steps/0/writes/x',
    ],
  ])('may not be %s', (_, steps, reducers, pointer) => {
    expect(conflictsOf(steps, reducers)).toEqual([`${pointer} context.write-conflict`]);
  });

  it('conflict exactly when two of them have no order, whatever the graph', () => {
    const graph = fc
      .integer({ min: 1, max: 40 })
      .chain((count) =>
        fc.tuple(
          fc.tuple(
            ...Array.from({ length: count }, (_, index) => fc.uniqueArray(fc.nat(index), { maxLength: 2 })),
          ),
          fc.array(fc.record({ index: fc.nat(count - 1), path: fc.constantFrom('x', 'x.y', 'x.z', 'z') })),
        ),
      );
    fc.assert(
      fc.property(graph, ([given, placed]) => {
        const dependencies = given.map((list, index) => list.filter((dependency) => dependency < index));
        const all = placed.map((one): PlacedWrite => ({
          ...one,
          keys: one.path.split('.'),
          reducer: 'replace',
          pointer: '',
        }));
        const expected = all.some((a) => all.some((b) => overlaps(a, b) && !haveOrder(a, b, dependencies)));
        expect(findWriteConflicts(all, dependencies).length > 0).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

function overlaps(a: PlacedWrite, b: PlacedWrite): boolean {
  return a.path === b.path || a.path.startsWith(`${b.path}.`);
}

function haveOrder(a: PlacedWrite, b: PlacedWrite, dependencies: readonly (readonly number[])[]): boolean {
  const isUpstream = (from: number, to: number): boolean =>
    from === to || (dependencies[to] ?? []).some((dependency) => isUpstream(from, dependency));
  return isUpstream(a.index, b.index) || isUpstream(b.index, a.index);
}
