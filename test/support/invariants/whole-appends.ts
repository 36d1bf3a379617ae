/** I4: what follows from a result without anybody being asked stands in the append of the result. */
import { evolve } from '../../../src/runs/domain/evolve.js';
import { nextMove } from '../../../src/runs/domain/plan.js';
import { initialState } from '../../../src/runs/domain/run.state.js';
import type { Graph } from '../../../src/workflows/domain/graph.js';
import type { RunEvidence, Violation } from './evidence.js';

/** Appends of so many events may be cut short: the rest follows at once. */
const MAY_BE_CUT = 1_000;

/** Whether every append left the run where it can only go on by an outcome, a timer, a command, or a free place. */
export function checkWholeAppends(
  { runId, events, appends }: RunEvidence,
  graph: Graph,
): readonly Violation[] {
  const [first, ...rest] = events;
  if (appends === undefined || first?.type !== 'run.queued') return [];
  const state = initialState(first, graph);
  let size = 1;
  for (const [index, event] of rest.entries()) {
    evolve(state, event);
    size = appends[index + 1] === appends[index] ? size + 1 : 1;
    const isLast = appends[index + 2] !== appends[index + 1];
    if (!isLast || size >= MAY_BE_CUT) continue;
    const move = nextMove(state, Date.parse(event.at), 'none');
    if (move === undefined) continue;
    const message = `the append that ends with ${event.type} (event ${event.seq}) leaves out what follows: ${move.kind}`;
    return [{ invariant: 'I4', runId, message }];
  }
  return [];
}
