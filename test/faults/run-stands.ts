/** How far runs are, asked of the record itself. */
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { Pool } from 'pg';

/** How far a run is. */
export interface RunStand {
  /** The number of its last event. */
  readonly lastSeq: number;
  readonly hasEnded: boolean;
}

export interface RunStands {
  /** @throws Error where there is no such run */
  of(runId: string): Promise<RunStand>;
  close(): Promise<void>;
}

interface Row {
  readonly last_seq: number | string;
  readonly ended_at: number | string | null;
}

/** In a PostgreSQL database. */
export function standsInPostgres(connectionString: string): RunStands {
  const pool = new Pool({ connectionString, max: 2 });
  return {
    of: async (runId) => {
      const { rows } = await pool.query<Row>('select last_seq, ended_at from runs where id = $1', [runId]);
      return standOf(runId, rows[0]);
    },
    close: () => pool.end(),
  };
}

/** In a folder of data. Opened each time, as files may be made anew when a service was killed. */
export function standsInFolder(folder: string): RunStands {
  return {
    of: (runId) => {
      const database = new Database(join(folder, 'ensemble.db'), { readonly: true });
      try {
        const ask = database.prepare<[string], Row>('select last_seq, ended_at from runs where id = ?');
        return Promise.resolve(standOf(runId, ask.get(runId)));
      } finally {
        database.close();
      }
    },
    close: () => Promise.resolve(),
  };
}

function standOf(runId: string, row: Row | undefined): RunStand {
  if (row === undefined) throw new Error(`the record has no run ${runId}`);
  return { lastSeq: Number(row.last_seq), hasEnded: row.ended_at !== null };
}
