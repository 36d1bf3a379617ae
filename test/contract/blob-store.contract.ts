import { createHash } from 'node:crypto';

import { BLOB_GRACE_MS, type Blob } from '../../src/platform/ports/blob.store.js';
import type { AlsoRow } from '../../src/runs/run.store.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import { anAppend, aRun } from '../support/a-run.js';
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

    const use = (runId: string, { hash, content }: Blob, at = 1): AlsoRow => ({
      kind: 'blob',
      use: { namespace: 'default', runId, hash, content, at },
    });
    const found = async (runId: string, { hash }: Blob): Promise<readonly number[] | undefined> => {
      const content = await scene.stores.blobs.findOfRun('default', runId, hash);
      return content && [...content];
    };

    it('keeps a blob together with the events that refer to it, also those of a creation', async () => {
      const [first, second] = [aBlob([1, 2]), aBlob([3])];
      const run = aRun();
      await scene.stores.runs.create({ run, also: [use(run.id, first)] });
      const claim = await scene.claim(run.id, await scene.owner());
      const result = await scene.stores.runs.append(anAppend(claim, { also: [use(run.id, second)] }));

      expect(result).toMatchObject({ outcome: 'appended' });
      expect(await found(run.id, first)).toEqual([1, 2]);
      expect(await found(run.id, second)).toEqual([3]);
      expect(await scene.stores.blobs.find('default', second.hash)).toBeDefined();
    });

    it('keeps nothing of an append that is refused', async () => {
      const blob = aBlob([4]);
      const claim = await scene.claimedRun();
      const stale: Claim = { ...claim, epoch: claim.epoch - 1 };
      const append = anAppend(stale, { also: [use(claim.runId, blob)] });

      expect(await scene.stores.runs.append(append)).toEqual({ outcome: 'refused' });
      expect(await scene.stores.blobs.find('default', blob.hash)).toBeUndefined();
    });

    it('lets a run refer to a blob that is kept already, as often as it likes', async () => {
      const blob = aBlob([5]);
      await scene.stores.blobs.put('default', blob, 1);
      const { runId } = await scene.claimedRun();
      const reference: AlsoRow = {
        kind: 'blob',
        use: { namespace: 'default', runId, hash: blob.hash, at: 2 },
      };
      const other = aRun();
      await scene.stores.runs.create({ run: other, also: [reference, reference, use(runId, blob)] });

      expect(await found(runId, blob)).toEqual([5]);
      expect(await found(other.id, blob)).toBeUndefined();
      expect(await scene.stores.blobs.findOfRun('other', runId, blob.hash)).toBeUndefined();
    });

    it('lets go of what only the released run refers to, unless it was put lately', async () => {
      const [own, shared, fresh] = [aBlob([6]), aBlob([7]), aBlob([8])];
      const [run, other] = [aRun(), aRun()];
      const now = 10 * BLOB_GRACE_MS;
      await scene.stores.runs.create({
        run,
        also: [use(run.id, own), use(run.id, shared), use(run.id, fresh, now - 1)],
      });
      await scene.stores.runs.create({ run: other, also: [use(other.id, shared)] });
      await scene.stores.blobs.release('default', run.id, now);
      await scene.stores.blobs.release('default', run.id, now);

      expect(await scene.stores.blobs.find('default', own.hash)).toBeUndefined();
      expect(await scene.stores.blobs.find('default', fresh.hash)).toBeDefined();
      expect(await found(run.id, shared)).toBeUndefined();
      expect(await found(other.id, shared)).toEqual([7]);

      await scene.stores.blobs.release('default', other.id, now);
      expect(await scene.stores.blobs.find('default', shared.hash)).toBeUndefined();
    });

    it('keeps a blob on that is put again after a long time', async () => {
      const blob = aBlob([9]);
      const now = 10 * BLOB_GRACE_MS;
      const run = aRun();
      await scene.stores.runs.create({ run, also: [use(run.id, blob)] });
      await scene.stores.blobs.put('default', blob, now);
      await scene.stores.blobs.release('default', run.id, now + 1);

      expect(await scene.stores.blobs.find('default', blob.hash)).toBeDefined();
    });
  });
}
