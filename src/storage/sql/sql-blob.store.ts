import { BLOB_GRACE_MS, BlobStore, type Blob } from '../../platform/ports/blob.store.js';
import { BlobStatements } from './blob-statements.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { RunBlobsTable } from './run-tables.js';

export class SqlBlobStore extends BlobStore {
  private readonly statements: BlobStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.statements = new BlobStatements(database);
  }

  private readonly findBytes = this.database.prepare(
    'blob.find',
    (p: Slots<{ readonly namespace: string; readonly hash: string }>) =>
      this.database.kysely
        .selectFrom('blobs')
        .select('bytes')
        .where('namespace', '=', p.namespace)
        .where('hash', '=', p.hash),
  );

  private readonly findBytesOfRun = this.database.prepare('blob.find-of-run', (p: Slots<RunBlobsTable>) =>
    this.database.kysely
      .selectFrom('run_blobs')
      .innerJoin('blobs', (join) =>
        join.onRef('blobs.namespace', '=', 'run_blobs.namespace').onRef('blobs.hash', '=', 'run_blobs.hash'),
      )
      .select('blobs.bytes')
      .where('run_blobs.namespace', '=', p.namespace)
      .where('run_blobs.run_id', '=', p.run_id)
      .where('run_blobs.hash', '=', p.hash),
  );

  override async put(namespace: string, { hash, content }: Blob, at: number): Promise<void> {
    const row = { namespace, hash, bytes: Buffer.from(content), created_at: at };
    await this.database.write({ statements: [this.statements.put(row)] });
  }

  override async find(namespace: string, hash: string): Promise<Uint8Array | undefined> {
    const [row] = await this.database.read(this.findBytes.bind({ namespace, hash }));
    return row?.bytes;
  }

  override async findOfRun(namespace: string, runId: string, hash: string): Promise<Uint8Array | undefined> {
    const [row] = await this.database.read(this.findBytesOfRun.bind({ namespace, run_id: runId, hash }));
    return row?.bytes;
  }

  override async release(namespace: string, runId: string, at: number): Promise<void> {
    const statements = this.statements.release({ namespace, run_id: runId }, at - BLOB_GRACE_MS);
    await this.database.write({ statements });
  }
}
