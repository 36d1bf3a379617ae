import { findCycles } from './cycles.js';

describe('findCycles', () => {
  it.each<[what: string, dependencies: number[][], cycles: number[][]]>([
    ['an empty graph', [], []],
    ['a chain', [[], [0], [1], [2]], []],
    ['a diamond', [[], [0], [0], [1, 2]], []],
    ['a step that waits for itself', [[], [1]], [[1]]],
    ['two steps', [[1], [0]], [[0, 1]]],
    ['a cycle that is entered in its middle', [[2], [0, 3], [1], []], [[0, 2, 1]]],
    [
      'two cycles apart',
      [[1], [0], [3], [2], [0]],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [
      'two cycles, one behind the other',
      [[1], [0, 2], [3], [2]],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ['two cycles that share a step', [[1], [0, 2], [1]], [[0, 1]]],
    ['a cycle beside a branch that is none', [[1, 2], [], [3], [1, 0]], [[0, 2, 3]]],
  ])('finds the cycles of %s', (_what, dependencies, cycles) => {
    expect(findCycles(dependencies)).toEqual(cycles);
  });

  it('names each knot once, in a graph where everything waits for everything', () => {
    const all = Array.from({ length: 200 }, (_, index) => index);

    expect(findCycles(all.map(() => all))).toHaveLength(200);
  });

  it('follows a chain of 100,000 steps', () => {
    const chain = Array.from({ length: 100_000 }, (_, index) => [(index + 1) % 100_000]);

    expect(findCycles(chain)[0]).toHaveLength(100_000);
  });
});
