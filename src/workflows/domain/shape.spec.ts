import { compileDefinition } from './compile-definition.js';
import type { Graph } from './graph.js';
import { shapeOf } from './shape.js';

/** A graph from ids with what they depend on: `c: 'a b'`. */
function graph(steps: Record<string, string>): Graph {
  const definition = {
    steps: Object.entries(steps).map(([id, dependsOn]) => ({
      id,
      agent: 'echo',
      dependsOn: dependsOn.split(' ').filter((name) => name !== ''),
    })),
  };
  const result = compileDefinition(definition, { maxSteps: 10_000 });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value.graph;
}

describe('shapeOf', () => {
  it('describes one step', () => {
    expect(shapeOf(graph({ a: '' }))).toEqual({
      layers: [['a']],
      criticalPath: ['a'],
      stepCount: 1,
      edgeCount: 0,
      maxWidth: 1,
      maxFanOut: 0,
    });
  });

  it('describes a diamond with a tail and a step apart', () => {
    expect(
      shapeOf(graph({ end: 'left right', left: 'start', right: 'start', start: '', last: 'end', alone: '' })),
    ).toEqual({
      layers: [['start', 'alone'], ['left', 'right'], ['end'], ['last']],
      criticalPath: ['start', 'left', 'end', 'last'],
      stepCount: 6,
      edgeCount: 5,
      maxWidth: 2,
      maxFanOut: 2,
    });
  });

  it('puts a step after its last dependency', () => {
    const { layers, criticalPath } = shapeOf(graph({ a: '', b: 'a', c: 'a b', d: 'a' }));

    expect(layers).toEqual([['a'], ['b', 'd'], ['c']]);
    expect(criticalPath).toEqual(['a', 'b', 'c']);
  });
});
