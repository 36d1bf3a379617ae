import { sql } from 'kysely';

import { RunLog, type LogEntry, type LogPage } from '../../runs/run.log.js';
import { cursorOf, LOG_START, placeOf, type LogPlace } from './log-place.js';
import { splitEvents } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';

interface AppendRow extends LogPlace {
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
    (p: Slots<LogPlace & { readonly limit: number }>) => {
      const { logOrder } = this.database.dialect;
      return sql<AppendRow>`select ${logOrder.xid} as xid, position, namespace, events from run_appends
      where ${logOrder.after(p.xid, p.position)} order by ${logOrder.columns} limit ${p.limit}`;
    },
  );

  private readonly readHead = this.database.prepare('log.head', () => {
    const { xid, position } = this.database.dialect.logOrder.head;
    return sql<LogPlace>`select ${xid} as xid, ${position} as position`;
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
    return cursorOf(place ?? LOG_START);
  }
}
