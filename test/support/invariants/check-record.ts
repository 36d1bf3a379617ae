/** The checker on a record as it lies on disk or in a database, beside what stubs have written down of their calls. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { Client } from 'pg';

import type { RunEvent } from '../../../src/runs/domain/run.events.js';
import type { Graph } from '../../../src/workflows/domain/graph.js';
import { graphOf } from '../simulated-run.js';
import { checkEvidence } from './check-evidence.js';
import type { CallEvidence, Evidence, RunEvidence, Violation } from './evidence.js';

/** Where the record is: a folder of data, or a PostgreSQL database. */
export type RecordSource = { readonly folder: string } | { readonly databaseUrl: string };

/** What is known beside the record. */
export interface CheckOptions extends Omit<Evidence, 'runs' | 'calls'> {
  /** A file with one JSON object a line for each call: `idempotencyKey`, `attempt`, and what is known of `at`, `endedAt`, `answer`, `limit`. */
  readonly callsFile?: string;
  /** Calls as a target in this process has kept them. */
  readonly effects?: readonly CallLine[];
}

/** A call as targets write it down: the stable key says of which run and which unit it was. */
export interface CallLine extends Omit<CallEvidence, 'runId' | 'path' | 'key'> {
  readonly idempotencyKey: string;
}

/** What was checked and what was found. */
export interface RecordCheck {
  readonly runs: number;
  readonly events: number;
  readonly calls: number;
  readonly violations: readonly Violation[];
}

interface RunColumns {
  readonly id: string;
  readonly status: string;
  readonly last_seq: number | string;
  readonly owner_id: string | null;
}

interface AppendColumns {
  readonly run_id: string;
  readonly first_seq: number | string;
  readonly append_id: string;
  readonly events: string;
}

const RUNS = 'select id, status, last_seq, owner_id from runs order by id';
const APPENDS = 'select run_id, first_seq, append_id, events from run_appends order by run_id, first_seq';

/** Checks everything that a record and a file of calls can show. Reads only. */
export async function checkRecord(
  source: RecordSource,
  { callsFile, effects = [], ...known }: CheckOptions,
): Promise<RecordCheck> {
  const runs = await readRuns(source);
  const lines = callsFile === undefined ? [] : readLines(callsFile);
  const calls = [...lines, ...effects].map(callOf);
  const graphs = new Map<string, Graph>();
  return {
    runs: runs.length,
    events: runs.reduce((sum, { events }) => sum + events.length, 0),
    calls: calls.length,
    violations: checkEvidence({ ...known, runs, calls }, (run) => graphIn(graphs, run)),
  };
}

async function readRuns(source: RecordSource): Promise<readonly RunEvidence[]> {
  const [runs, appends] =
    'folder' in source ? readSqlite(source.folder) : await readPostgres(source.databaseUrl);
  const byRun = Map.groupBy(appends, ({ run_id: runId }) => runId);
  return runs.map((run) => evidenceOf(run, byRun.get(run.id) ?? []));
}

function readSqlite(folder: string): readonly [readonly RunColumns[], readonly AppendColumns[]] {
  const path = join(folder, 'ensemble.db');
  if (!existsSync(path)) throw new Error(`there is no record at ${path}`);
  const database = new Database(path, { readonly: true });
  try {
    return [database.prepare<[], RunColumns>(RUNS).all(), database.prepare<[], AppendColumns>(APPENDS).all()];
  } finally {
    database.close();
  }
}

async function readPostgres(
  connectionString: string,
): Promise<readonly [readonly RunColumns[], readonly AppendColumns[]]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const runs = await client.query<RunColumns>(RUNS);
    return [runs.rows, (await client.query<AppendColumns>(APPENDS)).rows];
  } finally {
    await client.end();
  }
}

function evidenceOf(run: RunColumns, appends: readonly AppendColumns[]): RunEvidence {
  const events = appends.map(({ events: text }) =>
    text.split('\n').map((line) => JSON.parse(line) as RunEvent),
  );
  return {
    runId: run.id,
    events: events.flat(),
    numbers: events.flatMap((own, at) => own.map((_, index) => Number(appends[at]?.first_seq) + index)),
    appends: events.flatMap((own, at) => own.map(() => appends[at]?.append_id ?? '')),
    row: {
      status: run.status,
      lastSeq: Number(run.last_seq),
      ...(run.owner_id !== null && { ownerId: run.owner_id }),
    },
  };
}

function readLines(file: string): readonly CallLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CallLine);
}

function callOf(line: CallLine): CallEvidence {
  const { idempotencyKey: key } = line;
  const [runId = '', ...path] = key.split(':').slice(0, -1);
  return { ...line, key, runId, path: path.join(':') };
}

/** Definitions are compiled once, however many runs share them. */
function graphIn(graphs: Map<string, Graph>, { runId, events: [first] }: RunEvidence): Graph {
  if (first?.type !== 'run.queued') throw new Error(`the log of ${runId} does not begin with run.queued`);
  const text = JSON.stringify(first.data.definition);
  const graph = graphs.get(text) ?? graphOf(first.data.definition);
  graphs.set(text, graph);
  return graph;
}
