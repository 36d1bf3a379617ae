/**
 * What a run does last: undoing what completed steps have done, then the steps that run however it ends.
 *
 * Decided here: their order. Compensations come one after the other, that of the unit which completed last first; then
 * the steps that run last, by their dependencies among each other. Decided elsewhere: that the run ends, and how
 * (run-ends.ts).
 */
import type { RunEnd } from './run.events.js';
import { findRecord, markReady, type RunState } from './run.state.js';
import { newCompensation, type Unit } from './unit.js';

/** Whether something is to be done before a run can end like this. */
export function hasLastSteps(state: RunState, status: RunEnd['status']): boolean {
  return state.root.graph.lastSteps.length > 0 || toUndo(state, status).length > 0;
}

/** The run ends: what comes last begins. */
export function beginEnding(state: RunState, end: RunEnd, at: number): void {
  const undo = toUndo(state, end.status);
  state.ending = {
    ...end,
    toUndo: [...undo],
    left: undo.length + state.root.graph.lastSteps.length,
    ...(end.graceMs !== undefined && { until: at + end.graceMs }),
  };
  openNext(state);
}

/** A unit of those that come last has ended. */
export function settleLast(state: RunState, unit: Unit): void {
  const { ending } = state;
  if (ending === undefined) return;
  ending.left -= 1;
  if (unit.undoes !== undefined) openNext(state);
  else if (unit.status === 'failed' && !unit.isHandled && unit.failure !== undefined)
    ending.failedLast ??= unit.failure;
}

/** The next compensation, or the steps that run last when there is none. */
function openNext(state: RunState): void {
  const undoes = state.ending?.toUndo.pop();
  if (undoes?.step.compensation !== undefined) {
    const unit = newCompensation(undoes, undoes.step.compensation);
    unit.attempt = state.attemptsBefore.get(unit.path) ?? 0;
    state.compensations.set(unit.path, unit);
    markReady(state, unit);
    return;
  }
  for (const index of state.root.graph.lastSteps) {
    const unit = state.root.units[index];
    if (unit?.unsettled === 0) markReady(state, unit);
  }
}

/** What has been done since the unit was opened again is undone once: its former completion is no more. */
function toUndo(state: RunState, status: RunEnd['status']): readonly Unit[] {
  const isUndone = status === 'cancelled' ? state.undoesOnCancel : status !== 'completed';
  return isUndone ? [...state.undoable.values()].filter((unit) => hasStayed(state, unit)) : [];
}

function hasStayed(state: RunState, { path, generation }: Unit): boolean {
  const record = findRecord(state, path);
  return record?.status === 'completed' && record.generation === generation;
}
