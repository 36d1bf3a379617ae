/**
 * A run that begins with the state of another.
 *
 * Decided here: what of that state is the fork's. What was under way is ready again; what waited asks anew. What the
 * other run has spent is not spent by the fork, and what it has done is not the fork's to undo. Decided elsewhere: how
 * units are opened (reopen.ts), where the events of the other run are kept (fork-history.ts).
 */
import { instantOf } from '../../kernel/time.js';
import { reopen } from './reopen.js';
import type { RunEvent, RunEventOf } from './run.events.js';
import type { RunState } from './run.state.js';

/** The state of the other run, which the caller owns, becomes that of the fork. */
export function evolveForked(state: RunState, { runId, at, data }: RunEventOf<'run.forked'>): void {
  const { from, atSeq, context, changes } = data;
  state.runId = runId;
  state.queued = data;
  state.context = context;
  state.contextSeq = 1;
  state.snapshots.clear();
  state.createdAt = instantOf(at);
  state.forkedFrom = { runId: from, atSeq, changes };
  state.retries = 0;
  state.generation += 1;
  state.usage = {};
  state.costMicros = 0;
  // inputs and turns of attempts that were open stand only as long as everything they follow from does
  reopen(state, { generation: state.generation, from: [], takesUp: changes.length === 0 });
  state.undoable.clear();
  state.givenUp.clear();
}

/**
 * The number of the event before a step, item or iteration began, the last time that it did; undefined when it has not
 * begun within these events.
 */
export function seqBefore(events: readonly RunEvent[], path: string): number | undefined {
  let seq: number | undefined;
  let isNew = true;
  for (const event of events) {
    if (event.type === 'run.retried') isNew = true;
    else if (isNew && isAbout(event, path)) {
      seq = event.seq - 1;
      isNew = false;
    }
  }
  return seq;
}

function isAbout(event: RunEvent, path: string): boolean {
  if (event.type === 'context.updated') return event.data.by === path;
  return (event.path ?? event.stepId) === path;
}
