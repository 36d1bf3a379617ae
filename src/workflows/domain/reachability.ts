/**
 * Steps that can never run, known before anything does.
 *
 * Decided here: that a condition without references which is false skips its step always, and what follows from that
 * for the steps after it. Decided elsewhere: joins (join.ts), conditions that read something.
 */
import { evaluateCondition } from '../../expressions/cel.js';
import type { CompiledStep, Graph } from './graph.js';
import { decideJoin } from './join.js';
import { warningAt, type Warning } from './warning.js';

/** A warning for each step that no run of the graph can ever start, bodies of loops included. Linear. */
export function listUnreachableSteps(graph: Graph): readonly Warning[] {
  const reasons = new Map<number, string>();
  const open = graph.steps.map(({ dependencies }) => dependencies.length);
  const ready = graph.steps.filter(({ dependencies }) => dependencies.length === 0);
  for (let step = ready.pop(); step !== undefined; step = ready.pop()) {
    const reason = reasonOf(graph, step, reasons);
    if (reason !== undefined) reasons.set(step.index, reason);
    for (const index of step.dependents) {
      const dependent = graph.steps[index];
      open[index] = (open[index] ?? 0) - 1;
      if (open[index] === 0 && dependent !== undefined) ready.push(dependent);
    }
  }
  return graph.steps.flatMap(({ index, id, pointer, repeat }) => {
    const reason = reasons.get(index);
    if (reason === undefined) return repeat?.body === undefined ? [] : listUnreachableSteps(repeat.body);
    return [warningAt(pointer, 'step.unreachable', `step "${id}" never runs: ${reason}`)];
  });
}

function reasonOf(
  graph: Graph,
  { join, dependencies, when }: CompiledStep,
  unreachable: ReadonlyMap<number, string>,
): string | undefined {
  const skipped = dependencies.filter((index) => unreachable.has(index));
  const best = { total: dependencies.length, completed: dependencies.length - skipped.length };
  const counts = { ...best, handledFailures: 0, failed: 0, skipped: skipped.length, cancelled: 0 };
  if (decideJoin(join, counts) === 'skip') {
    const ids = skipped.map((index) => graph.steps[index]?.id ?? '').join(', ');
    return `it waits for ${ids}, which never runs`;
  }
  if (when === undefined || when.references.roots.size > 0) return undefined;
  const decided = evaluateCondition(when, {});
  return decided.ok && !decided.value ? 'its condition is always false' : undefined;
}
