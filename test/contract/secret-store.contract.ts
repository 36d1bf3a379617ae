import type { SealedSecret } from '../../src/access/secret.store.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `SecretStore` promises. */
export function secretStoreContract(engine: RecordEngine): void {
  describe(`SecretStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const aSecret = (name: string, fields: Partial<SealedSecret> = {}): SealedSecret => ({
      namespace: 'default',
      name,
      sealed: `sealed ${name}`,
      createdAt: 10,
      updatedAt: 20,
      ...fields,
    });

    it('keeps a secret, and finds it in its namespace only', async () => {
      await scene.stores.secrets.put(aSecret('a'));

      expect(await scene.stores.secrets.find('default', 'a')).toEqual(aSecret('a'));
      expect(await scene.stores.secrets.find('other', 'a')).toBeUndefined();
      expect(await scene.stores.secrets.find('default', 'b')).toBeUndefined();
    });

    it('gives a secret another value and keeps when it was made', async () => {
      await scene.stores.secrets.put(aSecret('a'));
      await scene.stores.secrets.put(aSecret('a', { namespace: 'other' }));

      await scene.stores.secrets.put(aSecret('a', { sealed: 'again', createdAt: 30, updatedAt: 30 }));

      expect(await scene.stores.secrets.find('default', 'a')).toEqual(
        aSecret('a', { sealed: 'again', updatedAt: 30 }),
      );
      expect(await scene.stores.secrets.find('other', 'a')).toMatchObject({ sealed: 'sealed a' });
    });

    it('lists the secrets of a namespace by name, page by page', async () => {
      for (const name of ['b', 'constructor', 'a', 'Z']) await scene.stores.secrets.put(aSecret(name));
      await scene.stores.secrets.put(aSecret('other', { namespace: 'other' }));

      const first = await scene.stores.secrets.list('default', { limit: 3 });
      const rest = await scene.stores.secrets.list('default', { limit: 3, cursor: first.nextCursor ?? '' });

      expect(first.items.map(({ name }) => name)).toEqual(['Z', 'a', 'b']);
      expect(rest).toEqual({ items: [aSecret('constructor')] });
    });

    it('deletes a secret once, in its namespace only', async () => {
      await scene.stores.secrets.put(aSecret('a'));

      expect(await scene.stores.secrets.delete('other', 'a')).toBe(false);
      expect(await scene.stores.secrets.delete('default', 'a')).toBe(true);
      expect(await scene.stores.secrets.delete('default', 'a')).toBe(false);
      expect(await scene.stores.secrets.find('default', 'a')).toBeUndefined();
    });
  });
}
