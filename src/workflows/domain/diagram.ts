/** A definition as it is drawn: a node for each step, an edge for each dependency. */
import type { CompiledStep, Graph, Layer } from './graph.js';
import type { StepKind } from './kinds/step-kinds.js';

export interface DiagramNode {
  /** The id of the step after those of the loops around it: `polish/check`. */
  readonly id: string;
  readonly kind: StepKind;
  /** The agent that it calls, by its key. */
  readonly agent?: string;
  /** The loop in whose body it stands, by its id. */
  readonly parent?: string;
  /** What it is carried out for: each item of a list, each iteration. */
  readonly layers?: readonly Layer[];
  /** True for a step that runs when the end of the run is decided. */
  readonly finally?: true;
}

export interface DiagramEdge {
  readonly from: string;
  readonly to: string;
  /** `after`: it waits for the other. `catch`: it runs when the other has failed. */
  readonly kind: 'after' | 'catch';
}

export interface Diagram<N extends DiagramNode = DiagramNode> {
  /** In the order of the definition, a loop before the steps of its body. */
  readonly nodes: readonly N[];
  readonly edges: readonly DiagramEdge[];
}

/** The diagram of a compiled definition. */
export function diagramOf(graph: Graph): Diagram {
  const nodes: DiagramNode[] = [];
  const edges: DiagramEdge[] = [];
  draw(graph, undefined, { nodes, edges });
  return { nodes, edges };
}

function draw(
  { steps }: Graph,
  parent: string | undefined,
  into: { readonly nodes: DiagramNode[]; readonly edges: DiagramEdge[] },
): void {
  for (const step of steps) {
    into.nodes.push(nodeOf(step, parent));
    for (const index of step.dependencies) {
      const from = steps[index];
      if (from === undefined) continue;
      const kind = step.catches.includes(index) ? 'catch' : 'after';
      into.edges.push({ from: from.key, to: step.key, kind });
    }
    if (step.repeat?.body !== undefined) draw(step.repeat.body, step.key, into);
  }
}

function nodeOf({ key, work, layers, isLast }: CompiledStep, parent: string | undefined): DiagramNode {
  return {
    id: key,
    kind: work.kind,
    ...(work.kind === 'agent' && { agent: work.agentKey }),
    ...(parent !== undefined && { parent }),
    ...(layers.length > 0 && { layers }),
    ...(isLast && { finally: true as const }),
  };
}
