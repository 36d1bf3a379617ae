/**
 * What events of a run and its sub-runs mean for each other, made true together with them.
 *
 * Decided here: a sub-run is created with the event that waits for it, delivers its end with its terminal event, and is
 * cancelled with the event that gives it up. Decided elsewhere: what it begins with and what its end means
 * (domain/sub-run.ts).
 */
import { createHash } from 'node:crypto';

import { makeChildRunId } from '../../kernel/ids.js';
import { encodeEvent, type RunEvent } from '../domain/run.events.js';
import type { Seen } from '../domain/seen.js';
import { findRecord } from '../domain/run.state.js';
import {
  abandonedBy,
  deliveryOf,
  firstEventOf,
  summaryOfQueued,
  type SubRunWait,
} from '../domain/sub-run.js';
import type { AlsoRow, NewRun } from '../run.store.js';

const NONE: readonly AlsoRow[] = [];

/** The id of the sub-run of a lineage: in the partition of its parent, and always the same. */
export function subRunIdOf(parentRunId: string, lineage: string): string {
  return makeChildRunId(parentRunId, createHash('sha256').update(lineage).digest('hex'));
}

/** The rows of other runs beside a new event of a run, whose state has it already. */
export function subRunRowsOf(seen: Seen, namespace: string, event: RunEvent): readonly AlsoRow[] {
  const { stepId, path = stepId } = event;
  if (path === undefined) return rowsOfRun(seen, namespace, event);
  if (event.type.endsWith('.waiting')) return rowsOfWait(seen, namespace, path, event as SubRunWait);
  const abandoned = abandonedBy(event, () => findRecord(seen.state, path));
  return abandoned === undefined ? NONE : [cancelRow(namespace, abandoned, event)];
}

function rowsOfRun(seen: Seen, namespace: string, event: RunEvent): readonly AlsoRow[] {
  const { state } = seen;
  if (event.type === 'run.cancelling') {
    const refs = [...state.frontier.subRuns].flatMap(({ wait }) => wait?.ref ?? []);
    return refs.map((runId) => cancelRow(namespace, runId, event));
  }
  const { parent } = state.queued;
  if (parent?.wait === undefined) return NONE;
  const outcome = deliveryOf(seen, event);
  if (outcome === undefined) return NONE;
  const { runId, path, wait } = parent;
  const command = { type: 'deliver', path, wait, outcome } as const;
  return [{ kind: 'inbox', entry: { namespace, runId, command, at: Date.parse(event.at) } }];
}

function rowsOfWait(seen: Seen, namespace: string, path: string, wait: SubRunWait): readonly AlsoRow[] {
  const { state } = seen;
  if (wait.data.for !== 'run') return NONE;
  const unit = findRecord(state, path);
  if (unit === undefined) return NONE;
  const first = firstEventOf(seen, unit, wait);
  const { definition, manifest, options } = first.data;
  const { workflow } = manifest;
  const run: NewRun = {
    id: first.runId,
    namespace,
    ...(definition.name !== undefined && { name: definition.name }),
    ...(workflow && { workflowId: workflow.id, workflowVersion: workflow.version }),
    priority: options.priority,
    tags: options.tags,
    parentId: state.runId,
    createdAt: Date.parse(first.at),
    summary: summaryOfQueued(first),
    events: [encodeEvent(first)],
    appendId: `sub.${state.runId}.${wait.seq}`,
  };
  return [{ kind: 'run', run }];
}

function cancelRow(namespace: string, runId: string, event: RunEvent): AlsoRow {
  const command = { type: 'cancel', reason: `its parent ${event.runId} gave it up` } as const;
  return { kind: 'inbox', entry: { namespace, runId, command, at: Date.parse(event.at) } };
}
