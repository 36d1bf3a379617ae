/**
 * The graph of a run: its definition as it is drawn, with how far each step is.
 *
 * Items and iterations are no nodes: they are counted, so a graph is as large as its definition.
 */
import { diagramOf, type Diagram, type DiagramNode } from '../../workflows/domain/diagram.js';
import { mermaidOf, type NodeLook } from '../../workflows/domain/mermaid.js';
import type { RunState } from './run.state.js';
import { isSettled, isTerminal, type RunStatus, type StepStatus } from './run.status.js';
import type { HeldRecord, UnitRecord } from './unit.js';

/** How many units have each status; those that none has are absent. */
export type StatusCounts = { readonly [S in StepStatus]?: number };

export interface RunGraphNode extends DiagramNode {
  /** Of a step in a body: in the last iteration that has begun. */
  readonly status: StepStatus;
  /** Of a step in a body: how often it is in each status, over all iterations. */
  readonly times?: StatusCounts;
  /** The items or iterations of the step that have begun. */
  readonly holds?: StatusCounts;
}

export interface RunGraph extends Diagram<RunGraphNode> {
  readonly status: RunStatus;
  /** The last event that the graph has in it. */
  readonly lastSeq: number;
}

/** What is found out about the units of one step. */
interface Tally {
  last: StepStatus;
  readonly times: Partial<Record<StepStatus, number>>;
  readonly holds: Partial<Record<StepStatus, number>>;
}

/** The graph of a run as it is. Takes time in proportion to its units. */
export function runGraphOf(state: RunState): RunGraph {
  const tallies = new Tallies(isTerminal(state.status));
  tallies.addAll(state.root.units);
  const { nodes, edges } = diagramOf(state.root.graph);
  return {
    status: state.status,
    lastSeq: state.lastSeq,
    nodes: nodes.map((node) => ({ ...node, ...standingOf(node, tallies.of(node.id)) })),
    edges,
  };
}

function standingOf(
  { parent }: DiagramNode,
  tally: Tally | undefined,
): Pick<RunGraphNode, 'status' | 'times' | 'holds'> {
  if (tally === undefined) return { status: 'pending' };
  const { last, times, holds } = tally;
  return {
    status: last,
    ...(parent !== undefined && { times }),
    ...(Object.keys(holds).length > 0 && { holds }),
  };
}

class Tallies {
  private readonly byKey = new Map<string, Tally>();

  /** @param hasEnded what a run that has ended left undone counts as cancelled */
  constructor(private readonly hasEnded: boolean) {}

  of(key: string): Tally | undefined {
    return this.byKey.get(key);
  }

  addAll(units: Iterable<UnitRecord>): void {
    for (const unit of units) this.add(unit);
  }

  private add({ step, role, status, held }: UnitRecord): void {
    const shown = this.hasEnded && !isSettled(status) ? 'cancelled' : status;
    const tally = this.byKey.get(step.key) ?? { last: shown, times: {}, holds: {} };
    this.byKey.set(step.key, tally);
    if (role === 'step') tally.last = shown;
    const counts = role === 'step' ? tally.times : tally.holds;
    counts[shown] = (counts[shown] ?? 0) + 1;
    if (held !== undefined) this.addAll(unitsIn(held));
  }
}

function unitsIn(held: HeldRecord): Iterable<UnitRecord> {
  switch (held.kind) {
    case 'items':
      return [...held.ended.values(), ...held.live.values()];
    case 'iterations':
      return held.live === undefined ? held.ended : [...held.ended, held.live];
    case 'body':
      return held.scope.units;
  }
}

/** Fill and stroke by status. */
const STYLES: { readonly [S in StepStatus]: string } = {
  pending: 'fill:#f6f8fa,stroke:#8c959f,color:#57606a',
  ready: 'fill:#ddf4ff,stroke:#54aeff,color:#0a3069',
  running: 'fill:#54aeff,stroke:#0969da,color:#05264c',
  waiting: 'fill:#fff8c5,stroke:#bf8700,color:#4d2d00',
  retrying: 'fill:#ffd8b5,stroke:#bc4c00,color:#471700',
  completed: 'fill:#dafbe1,stroke:#1a7f37,color:#003d16',
  failed: 'fill:#ffebe9,stroke:#cf222e,color:#660018',
  skipped: 'fill:#eaeef2,stroke:#8c959f,color:#57606a,stroke-dasharray:4',
  cancelled: 'fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:2',
};

/** The graph as the text of a Mermaid flowchart. */
export function mermaidOfRun(graph: RunGraph): string {
  return mermaidOf(graph, { look: lookOf, styles: STYLES });
}

function lookOf({ status, times, holds }: RunGraphNode): NodeLook {
  const counts = [times, holds].flatMap((count) => (count === undefined ? [] : noteOf(count)));
  return { note: [status, ...counts].join(' - '), style: status };
}

function noteOf(counts: StatusCounts): string {
  return Object.entries(counts)
    .map(([status, count]) => `${String(count)} ${status}`)
    .join(', ');
}
