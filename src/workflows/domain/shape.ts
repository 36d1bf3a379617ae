/**
 * What a graph looks like, for someone who checks a definition before it runs.
 *
 * Decided here: layers and the longest chain. Decided elsewhere: edges (graph.ts), the order in which steps really
 * start (runs/domain), which depends on how long each takes.
 */
import { allSteps, type Graph } from './graph.js';

export interface DefinitionShape {
  /** Ids of the steps that can run at once, layer after layer; each layer in the order of the definition. */
  readonly layers: readonly (readonly string[])[];
  /** Ids of a longest chain of steps; of several the first by the order of the definition. */
  readonly criticalPath: readonly string[];
  /** Steps in all, those in bodies of loops included. */
  readonly stepCount: number;
  readonly edgeCount: number;
  /** Steps of the largest layer: how many could run at once. */
  readonly maxWidth: number;
  /** The most steps that wait for one step. */
  readonly maxFanOut: number;
}

/** The shape of a graph, in time linear in its edges. A step is in the layer after its last dependency. */
export function shapeOf(graph: Graph): DefinitionShape {
  const layers = layersOf(graph);
  return {
    layers: layers.map((layer) => layer.map((index) => idAt(graph, index))),
    criticalPath: criticalPathOf(graph, layers).map((index) => idAt(graph, index)),
    stepCount: [...allSteps(graph)].length,
    edgeCount: graph.edgeCount,
    maxWidth: layers.reduce((most, layer) => Math.max(most, layer.length), 0),
    maxFanOut: graph.steps.reduce((most, { dependents }) => Math.max(most, dependents.length), 0),
  };
}

/** Kahn's algorithm, a layer at a time. */
function layersOf({ steps }: Graph): readonly (readonly number[])[] {
  const open = steps.map(({ dependencies }) => dependencies.length);
  const layers: (readonly number[])[] = [];
  let layer = steps.filter(({ dependencies }) => dependencies.length === 0).map(({ index }) => index);
  while (layer.length > 0) {
    layers.push(layer);
    layer = layer
      .flatMap((index) => steps[index]?.dependents ?? [])
      .filter((dependent) => (open[dependent] = (open[dependent] ?? 0) - 1) === 0)
      .sort((left, right) => left - right);
  }
  return layers;
}

/** Walks back from the last layer, each time to a dependency in the layer before. */
function criticalPathOf({ steps }: Graph, layers: readonly (readonly number[])[]): readonly number[] {
  const layerOf = new Map(layers.flatMap((layer, depth) => layer.map((index) => [index, depth] as const)));
  const path: number[] = [];
  let at = layers.at(-1)?.[0];
  for (let depth = layers.length - 1; at !== undefined; depth -= 1) {
    path.push(at);
    at = steps[at]?.dependencies.find((dependency) => layerOf.get(dependency) === depth - 1);
  }
  return path.reverse();
}

function idAt({ steps }: Graph, index: number): string {
  return steps[index]?.id ?? '';
}
