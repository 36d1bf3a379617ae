import { BlobStore, type Blob } from '../../platform/ports/blob.store.js';

/** Blobs in memory, for tests. */
export class MemoryBlobStore extends BlobStore {
  private readonly blobs = new Map<string, Uint8Array>();

  override put(namespace: string, { hash, content }: Blob): Promise<void> {
    this.blobs.set(`${namespace}/${hash}`, Uint8Array.from(content));
    return Promise.resolve();
  }

  override find(namespace: string, hash: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.blobs.get(`${namespace}/${hash}`));
  }
}
