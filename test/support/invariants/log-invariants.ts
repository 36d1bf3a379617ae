/** What must hold of the log of one run, whatever happened while it was written. */
import type { Graph } from '../../../src/workflows/domain/graph.js';
import type { RunEvidence, Violation } from './evidence.js';
import { checkOrder } from './graph-order.js';
import { checkRetries } from './retry-bounds.js';
import { StepIndex } from './step-index.js';
import { checkWholeAppends } from './whole-appends.js';
import { endIndexOf, endOf, isEnd, pathOf, unitEvents } from './unit-history.js';

/** Everything that the log of a run alone can show. */
export function checkLog(run: RunEvidence, graph: Graph): readonly Violation[] {
  const misnumbered = checkNumbers(run);
  if (misnumbered.length > 0) return misnumbered; // nothing else can be read out of it
  return [
    ...checkResults(run),
    ...checkWholeTurns(run),
    ...checkAfterEnd(run),
    ...checkWholeAppends(run, graph),
    ...checkPlaces(run, new StepIndex(graph)),
    ...checkOrder(run, new StepIndex(graph)),
    ...checkRetries(run, new StepIndex(graph)),
  ];
}

/** I6: events are numbered 1..n, in the record and in themselves. */
export function checkNumbers({ runId, events, numbers }: RunEvidence): readonly Violation[] {
  return events.flatMap(({ seq }, index) => {
    const kept = numbers?.[index] ?? index + 1;
    if (seq === index + 1 && kept === index + 1) return [];
    const message = `event ${index + 1} is numbered ${seq}, and kept under ${kept}`;
    return [{ invariant: 'I6', runId, message }];
  });
}

/** I4: a unit has one result, and nothing happens to it after that. */
export function checkResults({ runId, events }: RunEvidence): readonly Violation[] {
  const ended = new Map<string, string>();
  const violations: Violation[] = [];
  for (const placed of unitEvents(sinceRetry(events))) {
    const { path, event } = placed;
    const before = ended.get(path);
    if (before !== undefined) {
      const message = `${event.type} (event ${event.seq}) after ${before}`;
      violations.push({ invariant: 'I4', runId, path, message });
    }
    if (endOf(placed) !== undefined) ended.set(path, event.type);
  }
  return violations;
}

/** I4: what a unit writes to the context, and its turns, are recorded once and together with what they belong to. */
export function checkWholeTurns({ runId, events, appends }: RunEvidence): readonly Violation[] {
  const violations: Violation[] = [];
  const turns = new Map<string, number>();
  events.forEach((event, index) => {
    const path = pathOf(event);
    if (event.type === 'context.updated' && event.data.by !== undefined) {
      const next = events.slice(index + 1).find(({ type }) => type !== 'context.updated');
      const isTogether = appends === undefined || appends[index] === appends[index + 1];
      if (next === undefined || pathOf(next) !== event.data.by || !isTogether) {
        const message = `the write of event ${event.seq} is not in the append of its completion`;
        violations.push({ invariant: 'I4', runId, path: event.data.by, message });
      }
    }
    if (path !== undefined && (event.type === 'turn.completed' || event.type === 'tool.called')) {
      const expected = (turns.get(path) ?? 0) + 1;
      turns.set(path, event.data.turn);
      if (event.data.turn !== expected) {
        const message = `turn ${event.data.turn} is recorded where turn ${expected} is due`;
        violations.push({ invariant: 'I4', runId, path, message });
      }
    }
  });
  return violations;
}

/** I11: nothing follows the end of a run that was not opened again. */
export function checkAfterEnd({ runId, events }: RunEvidence): readonly Violation[] {
  const end = events.findIndex(isEnd);
  const after = events[end + 1];
  if (end < 0 || after === undefined || after.type === RETRIED) return [];
  return [{ invariant: 'I11', runId, message: `${after.type} (event ${after.seq}) after the run has ended` }];
}

/** I7: no more attempts are open at once than the run has places. */
export function checkPlaces({ runId, events }: RunEvidence, index: StepIndex): readonly Violation[] {
  const [first] = events;
  if (first?.type !== 'run.queued') return [];
  const { maxParallelSteps } = first.data.options;
  const open = new Set<string>();
  for (const { event, path, name } of unitEvents(events.slice(0, endIndexOf(events)))) {
    if (name === 'started' && takesPlace(index, path)) open.add(path);
    else open.delete(path);
    if (open.size > maxParallelSteps) {
      const message = `${open.size} attempts are open at event ${event.seq}, ${maxParallelSteps} may be`;
      return [{ invariant: 'I7', runId, path, message }];
    }
  }
  return [];
}

/** A unit whose work is a run of its own waits for that without a place. */
function takesPlace(index: StepIndex, path: string): boolean {
  const { step, isLeaf, isCompensation } = index.at(path);
  return isCompensation || (isLeaf && step.work.kind !== 'workflow');
}

const RETRIED = 'run.retried' as string;

function sinceRetry(events: RunEvidence['events']): RunEvidence['events'] {
  return events.slice(1 + events.findLastIndex(({ type }) => (type as string) === RETRIED));
}
