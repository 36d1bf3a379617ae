/**
 * Folding a page of the log: the figures that it adds, and what is to be remembered of each of its runs.
 *
 * Decided here: one run after the other, in slices, since the engine shares the thread. Decided elsewhere: what each
 * event counts as (domain/fold.ts).
 */
import { setImmediate as afterOthers } from 'node:timers/promises';

import type { LoggedEvent } from '../runs/domain/logged-event.js';
import type { LogEntry } from '../runs/run.log.js';
import { RunFolder, Tally, type OpenRun } from './domain/fold.js';
import type { RunHead } from './domain/run-head.js';

/** Events folded at a time: about a millisecond. */
const SLICE = 500;

/** The events of a run that lie on a page, in order, at least one. */
export interface RunOnPage {
  readonly namespace: string;
  readonly first: LoggedEvent;
  readonly events: readonly LoggedEvent[];
}

/** What is known of a run before a page. */
export interface KnownRun {
  readonly head: RunHead;
  readonly open: OpenRun | undefined;
}

/** The events of each run, by its id. Those of one append come together: its run is looked up once. */
export function runsOnPage(entries: readonly LogEntry[]): ReadonlyMap<string, RunOnPage> {
  const runs = new Map<string, RunOnPage & { readonly events: LoggedEvent[] }>();
  let last: LoggedEvent[] = [];
  let lastId: string | undefined;
  for (const { namespace, event } of entries) {
    const { runId } = event.head;
    if (runId !== lastId) {
      let run = runs.get(runId);
      if (run === undefined) runs.set(runId, (run = { namespace, first: event, events: [] }));
      last = run.events;
      lastId = runId;
    }
    last.push(event);
  }
  return runs;
}

/** @param known each run of the page */
export async function foldPage(
  runs: ReadonlyMap<string, RunOnPage>,
  known: ReadonlyMap<string, KnownRun>,
): Promise<{ readonly tally: Tally; readonly open: ReadonlyMap<string, OpenRun | undefined> }> {
  const tally = new Tally();
  const open = new Map<string, OpenRun | undefined>();
  let folded = 0;
  for (const [runId, { events }] of runs) {
    const before = known.get(runId);
    if (before === undefined) continue;
    const folder = new RunFolder(before.head, tally, before.open);
    for (const event of events) folder.fold(event);
    open.set(runId, folder.open);
    folded += events.length;
    if (folded < SLICE) continue;
    folded = 0;
    await afterOthers();
  }
  return { tally, open };
}
