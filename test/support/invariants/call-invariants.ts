/** What stubs were asked and answered, against what the logs say of it. */
import type { RunEvent, RunEventOf } from '../../../src/runs/domain/run.events.js';
import type { Graph } from '../../../src/workflows/domain/graph.js';
import type { CallEvidence, RunEvidence, Violation } from './evidence.js';
import { StepIndex } from './step-index.js';
import { isEnd, unitEvents } from './unit-history.js';

/** How long after the end of a run a call that was on its way may still arrive, in milliseconds. */
const LATE_MS = 1_000;

/** What the log of a run says of one attempt. */
interface RecordedAttempt {
  startedAt: number;
  /** The JSON text of the recorded output. */
  output?: string;
}

export function checkCalls(
  calls: readonly CallEvidence[],
  runs: ReadonlyMap<string, RunEvidence>,
  graphOf: (run: RunEvidence) => Graph,
): readonly Violation[] {
  const byRun = Map.groupBy(calls, ({ runId }) => runId);
  return [...byRun].flatMap(([runId, own]) => {
    const run = runs.get(runId);
    if (run === undefined) return [{ invariant: 'I8' as const, runId, message: 'called for, and not there' }];
    const attempts = attemptsOf(run, new StepIndex(graphOf(run)));
    return [
      ...checkAttempts(run, own, attempts),
      ...checkOutputs(run, own, attempts),
      ...checkLate(run, own),
    ];
  });
}

/** I8: every call belongs to an attempt that is recorded, and an attempt calls once. */
function checkAttempts(
  { runId }: RunEvidence,
  calls: readonly CallEvidence[],
  attempts: ReadonlyMap<string, RecordedAttempt>,
): readonly Violation[] {
  const byPath = Map.groupBy(calls, ({ path }) => path);
  return [...byPath].flatMap(([path, own]) => {
    const recorded = [...attempts.keys()].filter((id) => id.startsWith(`${path}#`)).length;
    const keys = new Set(own.map(({ key }) => key));
    const ids = own.flatMap(({ attempt }) => (attempt === undefined ? [] : [idOf(path, attempt)]));
    const unknown = ids.filter((id) => !attempts.has(id));
    const problems = [
      ...(own.length > recorded ? [`${own.length} calls, ${recorded} attempts are recorded`] : []),
      ...(keys.size > 1 ? [`called under ${keys.size} keys`] : []),
      ...(new Set(ids).size < ids.length ? ['one attempt called twice'] : []),
      ...unknown.map((id) => `${id} was called and is not recorded`),
    ];
    return problems.map((message): Violation => ({ invariant: 'I8', runId, path, message }));
  });
}

/** I10: the recorded output is what the stub answered, byte for byte. */
function checkOutputs(
  { runId }: RunEvidence,
  calls: readonly CallEvidence[],
  attempts: ReadonlyMap<string, RecordedAttempt>,
): readonly Violation[] {
  return calls.flatMap(({ path, attempt, answer }) => {
    const recorded = attempt === undefined ? undefined : attempts.get(idOf(path, attempt))?.output;
    if (answer === undefined || recorded === undefined || recorded === answer) return [];
    const message = `attempt ${String(attempt)} was answered ${answer ?? 'nothing'}, recorded is ${recorded}`;
    return [{ invariant: 'I10' as const, runId, path, message }];
  });
}

/** I11: nobody is called for a run that has ended. */
function checkLate(
  { runId, events, writtenAt }: RunEvidence,
  calls: readonly CallEvidence[],
): readonly Violation[] {
  const end = events.findIndex(isEnd);
  if (end < 0) return [];
  const endedAt = writtenAt?.[end] ?? Date.parse(events[end]?.at ?? '');
  return calls
    .filter(({ at }) => at > endedAt + LATE_MS)
    .map(({ path, at }) => ({
      invariant: 'I11',
      runId,
      path,
      message: `called ${at - endedAt} ms after the run had ended`,
    }));
}

/** The attempts of units for which agents are called. */
function attemptsOf(
  { events, writtenAt }: RunEvidence,
  index: StepIndex,
): ReadonlyMap<string, RecordedAttempt> {
  const attempts = new Map<string, RecordedAttempt>();
  const waiting = new Set<string>();
  for (const { event, path, name, index: at } of unitEvents(events)) {
    if (event.attempt === undefined || !index.at(path).isLeaf) continue;
    const id = idOf(path, event.attempt);
    if (name === 'started') attempts.set(id, { startedAt: writtenAt?.[at] ?? Date.parse(event.at) });
    if (name === 'waiting') waiting.add(id);
    const attempt = attempts.get(id);
    if (name === 'completed' && attempt !== undefined && !waiting.has(id)) attempt.output = outputOf(event);
  }
  return attempts;
}

function outputOf(event: RunEvent): string {
  return JSON.stringify((event as RunEventOf<'step.completed'>).data.output);
}

function idOf(path: string, attempt: number): string {
  return `${path}#${attempt}`;
}
