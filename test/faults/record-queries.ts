/** What fault runs ask of PostgreSQL beside the service, by its own tables. */
import { Client, type QueryResultRow } from 'pg';

import type { BaselineEvidence } from '../support/invariants/evidence.js';

/** How many runs there are of each status. */
export type Statuses = Readonly<Record<string, number>>;

/** The rows that a query answers, over a connection of its own. */
export async function query<R extends QueryResultRow>(
  connectionString: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<R>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

export async function statusesOf(url: string): Promise<Statuses> {
  const rows = await query<{ status: string; n: string }>(
    url,
    'select status, count(*) as n from runs group by status',
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, Number(n)]));
}

/** Why runs have failed, one line each. */
export async function failuresOf(url: string): Promise<readonly string[]> {
  const rows = await query<{ id: string; code: string; message: string; tags: string }>(
    url,
    `select id, failure_code as code, failure_message as message, tags from runs where status = 'failed' order by id`,
  );
  return rows.map(({ id, code, message, tags }) => `${id} ${tags} ${code}: ${message}`);
}

/** The runs that have not ended. */
export function openRuns(url: string): Promise<readonly { id: string; status: string }[]> {
  return query(
    url,
    `select id, status from runs where status not in ('completed', 'failed', 'cancelled', 'timed_out')`,
  );
}

/** The place of the last append of the record. */
export async function lastPlace(url: string): Promise<number> {
  const [row] = await query<{ place: string | null }>(url, 'select max(position) as place from run_appends');
  return Number(row?.place ?? 0);
}

/** Whether a step began in an append after a place. */
export async function hasStarted(url: string, afterPlace: number): Promise<boolean> {
  const rows = await query(
    url,
    `select 1 from run_appends where position > $1 and events like '%"type":"step.started"%' limit 1`,
    [afterPlace],
  );
  return rows.length > 0;
}

/** I12: what there is of a kind when no run is left, against what there should be. */
export async function leftovers(url: string, processes: number): Promise<readonly BaselineEvidence[]> {
  const counts: readonly (readonly [what: string, before: number, sql: string])[] = [
    ['leases', processes, 'select count(*) as n from owners where retired_at is null'],
    ['claims', 0, 'select count(*) as n from runs where owner_id is not null'],
    ['commands', 0, 'select count(*) as n from run_inbox'],
    ['slots', 0, 'select count(*) as n from limit_slots where expires_at > extract(epoch from now()) * 1000'],
  ];
  return Promise.all(
    counts.map(async ([what, before, sql]) => {
      const [row] = await query<{ n: string }>(url, sql);
      return { what, before, after: Number(row?.n) };
    }),
  );
}

/** When the interrupted attempts of a run were taken up again, against a moment: see `resumedAfter`. */
interface Resumption {
  readonly interruptedAt: number;
  readonly startedAt: number;
}

/** For each attempt that was interrupted: when it was recorded, and when the next step of its run began. */
export async function resumptions(url: string): Promise<readonly Resumption[]> {
  const rows = await query<{ run_id: string; events: string }>(
    url,
    `select run_id, events from run_appends where run_id in
       (select run_id from run_appends where events like '%.interrupted"%') order by run_id, first_seq`,
  );
  const byRun = Map.groupBy(rows, ({ run_id: runId }) => runId);
  return [...byRun.values()].flatMap((appends) =>
    resumptionsIn(appends.flatMap(({ events }) => linesOf(events))),
  );
}

interface Line {
  readonly type: string;
  readonly at: string;
}

function linesOf(events: string): readonly Line[] {
  return events.split('\n').map((line) => JSON.parse(line) as Line);
}

function resumptionsIn(events: readonly Line[]): readonly Resumption[] {
  return events.flatMap(({ type, at }, index) => {
    if (!type.endsWith('.interrupted')) return [];
    const next = events.slice(index).find((later) => later.type.endsWith('.started'));
    return next === undefined ? [] : [{ interruptedAt: Date.parse(at), startedAt: Date.parse(next.at) }];
  });
}

/** From each fault to the first start of what it has interrupted: only what was interrupted until the next fault. */
export async function resumedAfter(url: string, faultsAt: readonly number[]): Promise<readonly number[]> {
  const all = await resumptions(url);
  return faultsAt.flatMap((at, index) => {
    const until = faultsAt[index + 1] ?? Infinity;
    return all
      .filter(({ interruptedAt }) => interruptedAt >= at && interruptedAt < until)
      .map(({ startedAt }) => startedAt - at);
  });
}
