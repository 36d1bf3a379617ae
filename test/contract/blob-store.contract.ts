import { createHash } from 'node:crypto';

import type { Blob } from '../../src/platform/ports/blob.store.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `BlobStore` promises. */
export function blobStoreContract(engine: RecordEngine): void {
  describe(`BlobStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const aBlob = (bytes: readonly number[]): Blob => {
      const content = Uint8Array.from(bytes);
      return { hash: createHash('sha256').update(content).digest('hex'), content };
    };

    it('gives bytes back as they came, every byte value and none at all included', async () => {
      for (const blob of [aBlob([]), aBlob(Array.from({ length: 256 }, (_, byte) => byte))]) {
        await scene.stores.blobs.put('default', blob, 1);

        const found = await scene.stores.blobs.find('default', blob.hash);
        expect(Buffer.from(found ?? [1]).equals(Buffer.from(blob.content))).toBe(true);
      }
    });

    it('keeps the same bytes once, whoever writes them again and when', async () => {
      const blob = aBlob([1, 2, 3]);
      await Promise.all(Array.from({ length: 10 }, (_, at) => scene.stores.blobs.put('default', blob, at)));

      expect(await scene.stores.blobs.find('default', blob.hash)).toHaveLength(3);
    });

    it('finds nothing under an unknown hash or in another namespace', async () => {
      const blob = aBlob([7]);
      await scene.stores.blobs.put('default', blob, 1);

      expect(await scene.stores.blobs.find('default', 'none')).toBeUndefined();
      expect(await scene.stores.blobs.find('other', blob.hash)).toBeUndefined();
    });
  });
}
