/** A diagram as the text of a Mermaid flowchart (mermaid.js.org, "Flowcharts"). */
import type { Diagram, DiagramEdge, DiagramNode } from './diagram.js';

/** What a node says beside its id, and how it looks. */
export interface NodeLook {
  /** A further line of the label. */
  readonly note?: string;
  /** One of the classes of `styles`. */
  readonly style?: string;
}

export interface MermaidOptions<N extends DiagramNode> {
  /** How a node looks; nothing special by default. */
  readonly look?: (node: N) => NodeLook;
  /** Mermaid's style by the name of a class; letters only. */
  readonly styles?: Readonly<Record<string, string>>;
}

/**
 * Writes a diagram. Nothing that a caller chose is part of the syntax: nodes are numbered, and in labels everything but
 * letters, digits, spaces and a few signs is written as a character reference.
 */
export function mermaidOf<N extends DiagramNode>(
  { nodes, edges }: Diagram<N>,
  { look = () => ({}), styles = {} }: MermaidOptions<N> = {},
): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `n${String(index)}`]));
  const nameOf = (id: string): string => names.get(id) ?? '';
  const inside = Map.groupBy(nodes, ({ parent }) => parent);
  const lines = ['flowchart TD'];
  const write = (parent: string | undefined, depth: number): void => {
    const indent = '  '.repeat(depth);
    for (const node of inside.get(parent) ?? []) {
      const { note, style } = look(node);
      const label = `["${labelOf(node, note)}"]`;
      if (inside.has(node.id)) {
        lines.push(`${indent}subgraph ${nameOf(node.id)}${label}`);
        write(node.id, depth + 1);
        lines.push(`${indent}end`);
      } else lines.push(`${indent}${nameOf(node.id)}${label}`);
      if (style !== undefined) lines.push(`${indent}class ${nameOf(node.id)} ${style}`);
    }
  };
  write(undefined, 1);
  for (const { from, to, kind } of edges) lines.push(`  ${nameOf(from)} ${ARROWS[kind]} ${nameOf(to)}`);
  for (const [name, style] of Object.entries(styles)) lines.push(`  classDef ${name} ${style}`);
  return `${lines.join('\n')}\n`;
}

const ARROWS: { readonly [K in DiagramEdge['kind']]: string } = {
  after: '-->',
  catch: '-. on failure .->',
};

const LAYER_NOTES = { items: 'for each item', iterations: 'repeated' } as const;

function labelOf({ id, kind, agent, layers = [] }: DiagramNode, note: string | undefined): string {
  const lines = [
    id.slice(id.lastIndexOf('/') + 1),
    agent === undefined ? kind : `${kind} ${agent}`,
    ...layers.map((layer) => LAYER_NOTES[layer]),
    ...(note === undefined ? [] : [note]),
  ];
  return lines.map(escaped).join('<br/>');
}

/** Mermaid reads `#35;` as the character of that number. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.,:@-]/gu, (sign) => `#${String(sign.codePointAt(0))};`);
}
