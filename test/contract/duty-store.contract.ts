import { OWNERS_WITHOUT_LEASE, useRecord, type RecordEngine } from './record-scene.js';

const NAMES = ['schedules', 'webhooks'];

/** What every `DutyStore` promises. */
export function dutyStoreContract(engine: RecordEngine): void {
  describe(`DutyStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const take = async (ownerId: string, names: readonly string[] = NAMES): Promise<readonly string[]> =>
      (await scene.stores.duties.take(names, ownerId)).toSorted();

    it('gives what nobody holds to the first that asks, and says so again', async () => {
      const [first, second] = [await scene.owner(), await scene.owner()];

      expect(await take(first)).toEqual(NAMES);
      expect(await take(second)).toEqual([]);
      expect(await take(first)).toEqual(NAMES);
    });

    it('gives duties one by one', async () => {
      const [first, second] = [await scene.owner(), await scene.owner()];

      expect(await take(first, ['webhooks'])).toEqual(['webhooks']);
      expect(await take(second)).toEqual(['schedules']);
      expect(await take(second, ['metrics'])).toEqual(['metrics']);
      expect(await take(second, [])).toEqual([]);
    });

    it('gives each duty to one of twenty owners that ask at the same time', async () => {
      const owners = await Promise.all(Array.from({ length: 20 }, () => scene.owner()));

      const taken = await Promise.all(owners.map((ownerId) => take(ownerId)));

      expect(taken.flat().toSorted()).toEqual(NAMES);
    });

    it.each(OWNERS_WITHOUT_LEASE)('gives nothing to an owner whose lease %s', async (_, makeOwner) => {
      expect(await take(await makeOwner(scene))).toEqual([]);
      expect(await take(await scene.owner())).toEqual(NAMES);
    });

    it('gives the duties of an owner to another once its lease has run out and was retired', async () => {
      const [dead, next] = [await scene.owner(), await scene.owner()];
      await take(dead);
      await scene.expire(dead);
      expect(await take(next)).toEqual([]);

      await scene.stores.lease.retire('expired');

      expect(await take(next)).toEqual(NAMES);
      expect(await take(dead)).toEqual([]);
    });

    it('gives to others what an owner gives up, and lets those of others be', async () => {
      const [first, second] = [await scene.owner(), await scene.owner()];
      await take(first, ['schedules']);
      await take(second, ['webhooks']);

      await scene.stores.duties.giveUp(first);
      await scene.stores.duties.giveUp(first);

      expect(await take(second)).toEqual(NAMES);
      expect(await take(first)).toEqual([]);
    });
  });
}
