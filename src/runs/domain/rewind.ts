/**
 * The context without what was written by units that run again.
 *
 * A unit that runs again writes again: what it had written before would count twice. The state keeps no record of who
 * wrote what, so this is computed from the log when a run is retried, and recorded with the retry.
 */
import { canonicalJson, type JsonObject } from '../../kernel/json.js';
import { contextAfter } from './context-control.js';
import { openThroughout, reopen } from './reopen.js';
import type { FirstEvent, RunEvent, RunEventMap } from './run.events.js';
import { findRecord, type RunState } from './run.state.js';

/** A write, and the number of its event. */
interface Written {
  readonly seq: number;
  readonly write: RunEventMap['context.updated'];
}

/**
 * The context that a run which is retried goes on with; undefined when it is the one that it has.
 *
 * @param events its log, from event 1 on
 * @param state their fold, which is used up
 */
export function rewoundContext(
  events: readonly RunEvent[],
  state: RunState,
  fromStep: string | undefined,
): JsonObject | undefined {
  const before = state.context;
  const from = fromStep === undefined ? [] : [fromStep];
  reopen(state, { generation: state.generation + 1, from, takesUp: false });
  openThroughout(state);
  const after = refolded(events, (path) => findRecord(state, path)?.status === 'completed');
  return canonicalJson(after) === canonicalJson(before) ? undefined : after;
}

/** The context of a log, of units only with what those wrote that stand, when they completed the last time. */
function refolded(events: readonly RunEvent[], stands: (path: string) => boolean): JsonObject {
  let base = (events[0] as FirstEvent).data.context;
  let fromOutside: Written[] = [];
  const pending = new Map<string, Written[]>();
  const written = new Map<string, readonly Written[]>();
  for (const { seq, type, stepId, path = stepId, data } of events) {
    if (type === 'context.updated') {
      const { by } = data;
      if (by !== undefined) pending.set(by, [...(pending.get(by) ?? []), { seq, write: data }]);
      else if (data.reducer === 'merge-patch') fromOutside.push({ seq, write: data });
      else {
        base = data.value as JsonObject;
        fromOutside = [];
        written.clear();
      }
    } else if (path !== undefined && type.endsWith('.completed')) {
      written.set(path, pending.get(path) ?? []);
      pending.delete(path);
    }
  }
  const kept = [...written].flatMap(([path, writes]) => (stands(path) ? writes : []));
  return [...kept, ...fromOutside]
    .toSorted((a, b) => a.seq - b.seq)
    .reduce((context, { write }) => contextAfter(context, write), base);
}
