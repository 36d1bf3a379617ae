import { LogCursorStore } from '../../runs/log-cursor.store.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { LogCursorsTable } from './tables.js';

/** Followers that fold nothing have no versions of a fold. */
const NO_FOLD = 0;

export class SqlLogCursorStore extends LogCursorStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly findCursor = this.database.prepare(
    'log-cursor.find',
    (p: Slots<{ readonly follower: string }>) =>
      this.database.kysely.selectFrom('log_cursors').select('cursor').where('follower', '=', p.follower),
  );

  private readonly moveCursor = this.database.prepare('log-cursor.move', (p: Slots<LogCursorsTable>) =>
    this.database.kysely
      .insertInto('log_cursors')
      .values({ follower: p.follower, cursor: p.cursor, fold_version: p.fold_version })
      .onConflict((conflict) => conflict.column('follower').doUpdateSet({ cursor: p.cursor })),
  );

  override async find(follower: string): Promise<string | undefined> {
    const [row] = await this.database.read(this.findCursor.bind({ follower }));
    return row?.cursor;
  }

  override async move(follower: string, cursor: string): Promise<void> {
    await this.database.write({
      statements: [this.moveCursor.bind({ follower, cursor, fold_version: NO_FOLD })],
    });
  }
}
