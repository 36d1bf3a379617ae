/** The checker: everything that was seen against I1 to I13. */
import type { Graph } from '../../../src/workflows/domain/graph.js';
import { checkCalls } from './call-invariants.js';
import type { CaptureEvidence, Evidence, RunEvidence, Violation } from './evidence.js';
import { checkLimits } from './limit-invariants.js';
import { checkLog } from './log-invariants.js';
import { isEnd } from './unit-history.js';

/** Statuses of a run that waits for somebody or something, and says so. */
const VISIBLY_WAITING: ReadonlySet<string> = new Set(['waiting', 'paused']);

/**
 * Every violation that the evidence shows; none when all that can be checked with it holds.
 *
 * @param graphOf compiles the definition of a run
 */
export function checkEvidence(
  evidence: Evidence,
  graphOf: (run: RunEvidence) => Graph,
): readonly Violation[] {
  const runs = new Map(evidence.runs.map((run) => [run.runId, run]));
  return [
    ...checkAccepted(evidence, runs),
    ...checkUntold(evidence),
    ...evidence.runs.flatMap((run) => checkLog(run, graphOf(run))),
    ...(evidence.isOver ? evidence.runs.flatMap(checkEnd) : []),
    ...evidence.runs.flatMap(checkRow),
    ...(evidence.captures ?? []).flatMap((capture) => checkCapture(capture, runs.get(capture.runId))),
    ...checkCalls(evidence.calls ?? [], runs, graphOf),
    ...checkLimits(evidence),
    ...checkBaselines(evidence),
    ...(evidence.troubles ?? []).map((message): Violation => ({ invariant: 'I13', message })),
  ];
}

/** I1: every run that a caller was told of exists. */
export function checkAccepted(
  { accepted = [] }: Evidence,
  runs: ReadonlyMap<string, RunEvidence>,
): readonly Violation[] {
  return accepted
    .filter(({ runId }) => !runs.has(runId))
    .map(({ runId }) => ({
      invariant: 'I1',
      runId,
      message: 'a caller was told of it, and it is not there',
    }));
}

/** I2: of keyed starts there is no run that nobody was told of, unless its key gives it. */
export function checkUntold({ runs, accepted = [], keyed }: Evidence): readonly Violation[] {
  if (keyed === undefined) return [];
  const told = new Set([...accepted.map(({ runId }) => runId), ...keyed.values()]);
  return runs
    .filter(({ runId }) => !told.has(runId))
    .map(({ runId }) => ({ invariant: 'I2', runId, message: 'nobody was told of it, and no key gives it' }));
}

/** I3: every run has ended, or says what it waits for. */
export function checkEnd({ runId, events, row }: RunEvidence): readonly Violation[] {
  if (events.some(isEnd) || VISIBLY_WAITING.has(row?.status ?? '')) return [];
  return [{ invariant: 'I3', runId, message: `it has not ended: ${events.at(-1)?.type ?? 'no event'}` }];
}

/** I6, I12: the row says what the log says, and nobody owns a run that has ended. */
export function checkRow({ runId, events, row }: RunEvidence): readonly Violation[] {
  if (row === undefined) return [];
  const violations: Violation[] = [];
  if (row.lastSeq !== events.length) {
    const message = `the row says ${row.lastSeq} events, the log has ${events.length}`;
    violations.push({ invariant: 'I6', runId, message });
  }
  const last = events.at(-1);
  if (last !== undefined && isEnd(last) && row.ownerId !== undefined)
    violations.push({ invariant: 'I12', runId, message: `it has ended, and ${row.ownerId} owns it` });
  return violations;
}

/** I6: what somebody received is what the record has, without a gap and in its order. */
export function checkCapture(
  { runId, from, afterSeq, events, isWhole }: CaptureEvidence,
  run: RunEvidence | undefined,
): readonly Violation[] {
  const violation = (message: string): Violation => ({
    invariant: 'I6',
    runId,
    message: `${from}: ${message}`,
  });
  if (run === undefined) return [violation('events of a run that is not there')];
  for (const [index, event] of events.entries()) {
    const stored = run.events[afterSeq + index];
    if (JSON.stringify(stored) !== JSON.stringify(event))
      return [
        violation(`received ${event.type} ${event.seq}, the log has ${stored?.type ?? 'nothing'} there`),
      ];
  }
  const missing = run.events.length - afterSeq - events.length;
  return isWhole && missing > 0 ? [violation(`${missing} events were never received`)] : [];
}

/** I12: what was taken has been given back. */
export function checkBaselines({ baselines = [] }: Evidence): readonly Violation[] {
  return baselines
    .filter(({ before, after }) => before !== after)
    .map(({ what, before, after }) => ({
      invariant: 'I12',
      message: `${what}: ${before} before, ${after} after`,
    }));
}
