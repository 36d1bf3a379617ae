/**
 * The statements that write blobs and who refers to them.
 *
 * A blob that is there already is locked, and noted to be wanted anew where it was not lately: so it is not deleted
 * between the moment at which it is found and the moment at which it is referred to.
 */
import { sql } from 'kysely';

import { BLOB_GRACE_MS } from '../../platform/ports/blob.store.js';
import type { BlobUse } from '../../runs/run.store.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, Statement } from './statement.js';
import type { RunBlobsTable } from './run-tables.js';
import type { BlobsTable } from './tables.js';

type RunOfBlobs = Pick<RunBlobsTable, 'namespace' | 'run_id'>;

export class BlobStatements {
  constructor(private readonly database: SqlDatabase) {}

  private readonly insert = this.database.prepare('blob.put', (p: Slots<BlobsTable>) =>
    this.database.kysely
      .insertInto('blobs')
      .values({ namespace: p.namespace, hash: p.hash, bytes: p.bytes, created_at: p.created_at })
      .onConflict((conflict) =>
        conflict
          .columns(['namespace', 'hash'])
          .doUpdateSet((eb) => ({ created_at: eb.ref('excluded.created_at') }))
          .where((eb) =>
            eb(
              'blobs.created_at',
              '<',
              sql<number>`excluded.created_at - cast(${sql.lit(BLOB_GRACE_MS / 2)} as bigint)`,
            ),
          ),
      ),
  );

  private readonly refer = this.database.prepare('blob.refer', (p: Slots<RunBlobsTable>) =>
    this.database.kysely
      .insertInto('run_blobs')
      .values({ namespace: p.namespace, run_id: p.run_id, hash: p.hash })
      .onConflict((conflict) => conflict.doNothing()),
  );

  /** Deletes what only this run refers to. */
  private readonly deleteOwn = this.database.prepare(
    'blob.delete-own',
    (p: Slots<RunOfBlobs & { readonly before: number }>) =>
      this.database.kysely
        .deleteFrom('blobs')
        .where('namespace', '=', p.namespace)
        .where('created_at', '<', p.before)
        .where(
          sql<boolean>`hash in (select hash from run_blobs where namespace = ${p.namespace} and run_id = ${p.run_id})`,
        )
        .where(
          sql<boolean>`not exists (select 1 from run_blobs where run_blobs.namespace = blobs.namespace
            and run_blobs.hash = blobs.hash and run_blobs.run_id <> ${p.run_id})`,
        ),
  );

  private readonly forget = this.database.prepare('blob.forget-run', (p: Slots<RunOfBlobs>) =>
    this.database.kysely
      .deleteFrom('run_blobs')
      .where('namespace', '=', p.namespace)
      .where('run_id', '=', p.run_id),
  );

  /** Keeps a blob. */
  put(row: BlobsTable): Statement {
    return this.insert.bind(row);
  }

  /** A run refers to a blob from now on; the blob is kept with it where its content is given. */
  use({ namespace, runId, hash, content, at }: BlobUse): readonly Statement[] {
    const reference = this.refer.bind({ namespace, run_id: runId, hash });
    if (content === undefined) return [reference];
    return [this.put({ namespace, hash, bytes: Buffer.from(content), created_at: at }), reference];
  }

  /** A run refers to nothing any more; what nobody else refers to and is older than `before` goes. */
  release(run: RunOfBlobs, before: number): readonly Statement[] {
    return [this.deleteOwn.bind({ ...run, before }), this.forget.bind(run)];
  }
}
