import { BlobStore, type Blob } from '../../platform/ports/blob.store.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { BlobsTable } from './tables.js';

export class SqlBlobStore extends BlobStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly insert = this.database.prepare('blob.put', (p: Slots<BlobsTable>) =>
    this.database.kysely
      .insertInto('blobs')
      .values({ namespace: p.namespace, hash: p.hash, bytes: p.bytes, created_at: p.created_at })
      .onConflict((conflict) => conflict.columns(['namespace', 'hash']).doNothing()),
  );

  private readonly findBytes = this.database.prepare(
    'blob.find',
    (p: Slots<{ readonly namespace: string; readonly hash: string }>) =>
      this.database.kysely
        .selectFrom('blobs')
        .select('bytes')
        .where('namespace', '=', p.namespace)
        .where('hash', '=', p.hash),
  );

  override async put(namespace: string, { hash, content }: Blob, at: number): Promise<void> {
    const bytes = Buffer.from(content);
    await this.database.write({ statements: [this.insert.bind({ namespace, hash, bytes, created_at: at })] });
  }

  override async find(namespace: string, hash: string): Promise<Uint8Array | undefined> {
    const [row] = await this.database.read(this.findBytes.bind({ namespace, hash }));
    return row?.bytes;
  }
}
