import { BLOB_GRACE_MS, BlobStore, type Blob } from '../../platform/ports/blob.store.js';
import { blobId, type MemoryRecord } from './memory-record.js';

/** Blobs in memory, for tests. */
export class MemoryBlobStore extends BlobStore {
  constructor(private readonly record: MemoryRecord) {
    super();
  }

  override put(namespace: string, { hash, content }: Blob, at: number): Promise<void> {
    this.record.putBlob(namespace, hash, { content, at });
    return Promise.resolve();
  }

  override find(namespace: string, hash: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.record.blobs.get(blobId(namespace, hash))?.content);
  }

  override findOfRun(namespace: string, runId: string, hash: string): Promise<Uint8Array | undefined> {
    const isUsed = this.record.blobUsers.get(blobId(namespace, hash))?.has(runId) === true;
    return isUsed ? this.find(namespace, hash) : Promise.resolve(undefined);
  }

  override release(namespace: string, runId: string, at: number): Promise<void> {
    const { blobs, blobUsers } = this.record;
    for (const [id, users] of blobUsers) {
      if (!id.startsWith(`${namespace}/`) || !users.delete(runId) || users.size > 0) continue;
      blobUsers.delete(id);
      if ((blobs.get(id)?.at ?? at) < at - BLOB_GRACE_MS) blobs.delete(id);
    }
    return Promise.resolve();
  }
}
