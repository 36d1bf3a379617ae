import { sql } from 'kysely';

import { loggedEvent } from '../../runs/domain/logged-event.js';
import { RunLog, type LogChanges, type LogEntry, type LogPage } from '../../runs/run.log.js';
import { cursorOf, LOG_START, placeOf, type LogPlace } from './log-place.js';
import { splitLines } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';

interface AppendRow extends LogPlace {
  readonly namespace: string;
  readonly events: string;
}

interface ChangedRow {
  readonly run_id: string;
  readonly namespace: string;
}
/** Rows that one statement reads: other readers wait for it. */
const ROWS_AT_ONCE = 500;
/** No append is begun once a page has so many characters. */
const CHARS_OF_PAGE = 4 * 1_048_576;

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

  private readonly readChanges = this.database.prepare(
    'log.changes',
    (p: Slots<LogPlace & { readonly limit: number }>) => {
      const { beyond } = this.database.dialect.logOrder;
      return sql<ChangedRow>`select run_id, namespace from run_appends
      where ${beyond(p.xid, p.position)} group by run_id, namespace order by max(position) desc limit ${p.limit}`;
    },
  );

  override async readAfter(cursor: string, limit: number): Promise<LogPage> {
    const page = new PageUnderWay(Math.max(limit, 1), cursor);
    for (;;) {
      const wanted = Math.min(Math.ceil(page.eventsLeft / this.eventsPerRow), ROWS_AT_ONCE);
      const rows = await this.database.read(this.readRows.bind({ ...placeOf(page.cursor), limit: wanted }));
      const before = page.entries.length;
      const taken = page.take(rows);
      if (taken > 0) this.eventsPerRow = (page.entries.length - before) / taken;
      const more = taken < rows.length || rows.length === wanted;
      if (!more || page.isFull) return { entries: page.entries, cursor: page.cursor, more };
    }
  }

  override async head(): Promise<string> {
    const [place] = await this.database.read(this.readHead.bind({}));
    return cursorOf(place ?? LOG_START);
  }

  override async changedAfter(cursor: string, limit: number): Promise<LogChanges> {
    const next = await this.head(); // first: what is written in between is told twice, not never
    const rows = await this.database.read(this.readChanges.bind({ ...placeOf(cursor), limit }));
    return { runs: rows.map(({ run_id: runId, namespace }) => ({ runId, namespace })), cursor: next };
  }
}

/** A page that rows are added to until it is full. */
class PageUnderWay {
  readonly entries: LogEntry[] = [];
  private chars = 0;

  constructor(
    private readonly limit: number,
    public cursor: string,
  ) {}

  get eventsLeft(): number {
    return this.limit - this.entries.length;
  }

  get isFull(): boolean {
    return this.eventsLeft <= 0 || this.chars >= CHARS_OF_PAGE;
  }

  /** @returns how many of the rows there was room for */
  take(rows: readonly AppendRow[]): number {
    let taken = 0;
    for (const row of rows) {
      if (this.isFull) break;
      const { namespace, events } = row;
      for (const text of splitLines(events)) this.entries.push({ namespace, event: loggedEvent(text) });
      this.chars += events.length;
      this.cursor = cursorOf(row);
      taken += 1;
    }
    return taken;
  }
}
