import { randomBytes } from 'node:crypto';

import { RecordRoom } from '../../platform/ports/record-room.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { BlobsTable } from './tables.js';

/** What has to fit, in bytes: more than a small write finds in what is left of a page. */
const TRIAL_BYTES = 65_536;

/** How long no write may have been refused before one is tried out, in milliseconds: there are writes all the time. */
const QUIET_MS = 2_000;

/** No namespace is called so: what is written there is nobody's. */
const TRIAL_NAMESPACE = '';

/** Tries room out by a write of some size, but only where another one was refused. */
export class SqlRecordRoom extends RecordRoom {
  private trial: Promise<boolean> | undefined;

  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly fill = this.database.prepare('room.fill', (p: Slots<BlobsTable>) =>
    this.database.kysely
      .insertInto('blobs')
      .values({ namespace: p.namespace, hash: p.hash, bytes: p.bytes, created_at: p.created_at }),
  );

  /** Also what a process has left that was killed in between. */
  private readonly clear = this.database.prepare('room.clear', (p: Slots<Pick<BlobsTable, 'namespace'>>) =>
    this.database.kysely.deleteFrom('blobs').where('namespace', '=', p.namespace),
  );

  override async isFull(): Promise<boolean> {
    const { room } = this.database;
    if (!room.isShort) return false;
    if (room.refusedForMs < QUIET_MS) return true;
    this.trial ??= this.tryOut().finally(() => {
      this.trial = undefined;
    });
    return !(await this.trial);
  }

  private async tryOut(): Promise<boolean> {
    // Bytes that a database can not pack; a name that no other process takes at the same time.
    const bytes = randomBytes(TRIAL_BYTES);
    const hash = bytes.toString('hex', 0, 32);
    const row = { namespace: TRIAL_NAMESPACE, hash, bytes, created_at: 0 };
    try {
      await this.database.write({ statements: [this.fill.bind(row)] });
      await this.database.write({ statements: [this.clear.bind(row)] });
      this.database.room.found();
      return true;
    } catch {
      return false;
    }
  }
}
