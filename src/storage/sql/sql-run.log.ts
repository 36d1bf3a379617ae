import { sql } from 'kysely';

import { RunLog, type LogEntry, type LogPage } from '../../runs/run.log.js';
import { splitEvents } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';

/** Where a reader stands: transaction and position; transaction "0" where rows do not carry one. */
interface Place {
  readonly xid: string;
  readonly position: number;
}

interface AppendRow extends Place {
  readonly namespace: string;
  readonly events: string;
}

/** A cursor is `xid:position` of the last append read. */
export class SqlRunLog extends RunLog {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  /** Of the rows read last: so many rows are asked for as hold what is wanted, and few are sent in vain. */
  private eventsPerRow = 1;

  private readonly readRows = this.database.prepare(
    'log.read',
    (p: Slots<Place & { readonly limit: number }>) => {
      const { logOrder } = this.database.dialect;
      return sql<AppendRow>`select ${logOrder.xid} as xid, position, namespace, events from run_appends
      where ${logOrder.after(p.xid, p.position)} order by ${logOrder.columns} limit ${p.limit}`;
    },
  );

  private readonly readHead = this.database.prepare('log.head', () => {
    const { xid, position } = this.database.dialect.logOrder.head;
    return sql<Place>`select ${xid} as xid, ${position} as position`;
  });

  override async readAfter(cursor: string, limit: number): Promise<LogPage> {
    const enough = Math.max(limit, 1);
    const entries: LogEntry[] = [];
    let reached = cursor;
    for (let isMore = true; isMore && entries.length < enough;) {
      const wanted = Math.ceil((enough - entries.length) / this.eventsPerRow);
      const rows = await this.database.read(this.readRows.bind({ ...placeOf(reached), limit: wanted }));
      const before = entries.length;
      let taken = 0;
      for (const row of rows) {
        for (const event of splitEvents(row.events)) entries.push({ namespace: row.namespace, event });
        reached = cursorOf(row);
        taken += 1;
        if (entries.length >= enough) break;
      }
      if (taken > 0) this.eventsPerRow = (entries.length - before) / taken;
      isMore = rows.length === wanted;
    }
    return { entries, cursor: reached };
  }

  override async head(): Promise<string> {
    const [place] = await this.database.read(this.readHead.bind({}));
    return cursorOf(place ?? START);
  }
}

const START: Place = { xid: '0', position: 0 };

function cursorOf({ xid, position }: Place): string {
  return `${xid}:${String(position)}`;
}

function placeOf(cursor: string): Place {
  const [, xid, position] = /^(\d+):(\d+)$/.exec(cursor) ?? [];
  return xid === undefined ? START : { xid, position: Number(position) };
}
