import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `LogCursorStore` promises. */
export function logCursorStoreContract(engine: RecordEngine): void {
  describe(`LogCursorStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    it('knows nothing of a follower that has not moved', async () => {
      expect(await scene.stores.cursors.find('traces')).toBeUndefined();
    });

    it('keeps where each follower stands, and the last move wins', async () => {
      await scene.stores.cursors.move('traces', '1:2');
      await scene.stores.cursors.move('others', '7:7');
      await scene.stores.cursors.move('traces', '3:4');

      expect(await scene.stores.cursors.find('traces')).toBe('3:4');
      expect(await scene.stores.cursors.find('others')).toBe('7:7');
      expect(await scene.stores.metrics.position()).toBeUndefined();
    });
  });
}
