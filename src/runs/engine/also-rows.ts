/** What must become true together with the events of an append. */
import type { ApprovalEnd } from '../domain/approval.js';
import { referencesIn } from '../domain/kept-in-events.js';
import type { Seen } from '../domain/seen.js';
import type { FirstEvent, RunEvent } from '../domain/run.events.js';
import { findRecord, type RunState } from '../domain/run.state.js';
import type { AlsoRow, ApprovalClosing, BlobUse } from '../run.store.js';
import type { RunContents } from './run-contents.js';
import { subRunRowsOf } from './sub-run-rows.js';

/** The rows beside new events of a run, whose state has them already. */
export function alsoRowsOf(seen: Seen, namespace: string, events: readonly RunEvent[]): readonly AlsoRow[] {
  const rows: AlsoRow[] = [];
  for (const event of events) {
    const approval = approvalRowOf(seen.state, namespace, event);
    if (approval !== undefined) rows.push(approval);
    rows.push(...subRunRowsOf(seen, namespace, event));
  }
  return rows;
}

/** The blobs that new events of a run name, those that are new with their content. */
export function blobRowsOf(
  contents: RunContents,
  events: readonly RunEvent[],
  run: Pick<BlobUse, 'namespace' | 'runId' | 'at'>,
): readonly AlsoRow[] {
  const references = events.flatMap(referencesIn);
  if (references.length === 0) return [];
  return contents.takeNamed(references).map((blob) => ({ kind: 'blob', use: { ...run, ...blob } }));
}

/** The blobs that a fork begins with: its history, and what events of that name. All are kept already. */
export function blobRowsOfFork(
  { runId, at, data }: FirstEvent,
  history: readonly RunEvent[],
  namespace: string,
): readonly AlsoRow[] {
  const parts = 'history' in data ? data.history : [];
  const hashes = new Set([...parts, ...history.flatMap(referencesIn)].map(({ hash }) => hash));
  const run = { namespace, runId, at: Date.parse(at) };
  return [...hashes].toSorted().map((hash) => ({ kind: 'blob', use: { ...run, hash } }));
}

/** An approval is in the inbox as long as its unit waits for it. */
function approvalRowOf(state: RunState, namespace: string, event: RunEvent): AlsoRow | undefined {
  const { runId, type, stepId } = event;
  if (stepId === undefined) return undefined;
  const path = event.path ?? stepId;
  const at = Date.parse(event.at);
  if (type === 'approval.requested') {
    const { id, until, ...asked } = event.data;
    const expires = until === undefined ? {} : { expiresAt: Date.parse(until) };
    return { kind: 'approval', row: { id, namespace, runId, path, asked, requestedAt: at, ...expires } };
  }
  if (type === 'approval.resolved') {
    const { decision, data, by, timedOut } = event.data;
    const answer = timedOut ? {} : { data, ...(by !== undefined && { by }) };
    const end = { ...(decision && { decision }), ...answer };
    const status = statusAfter(event.data);
    return { kind: 'approval-end', end: { namespace, runId, path, status, at, ...end } };
  }
  if (!type.endsWith('.cancelled') || findRecord(state, path)?.step.work.kind !== 'approval')
    return undefined;
  return { kind: 'approval-end', end: { namespace, runId, path, status: 'cancelled', at } };
}

function statusAfter({ decision }: ApprovalEnd): ApprovalClosing['status'] {
  if (decision === undefined) return 'timed_out';
  return decision === 'approve' ? 'approved' : 'rejected';
}
