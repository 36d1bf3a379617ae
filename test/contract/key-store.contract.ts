import type { ApiKey } from '../../src/platform/ports/key.store.js';
import { useRecord, type RecordEngine } from './record-scene.js';

/** What every `KeyStore` promises. */
export function keyStoreContract(engine: RecordEngine): void {
  describe(`KeyStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const aKey = (name: string, fields: Partial<ApiKey> = {}): ApiKey => ({
      id: `key_${name}`,
      namespace: 'default',
      name,
      role: 'admin',
      hash: `hash-of-${name}`,
      createdAt: 1_700_000_000_000,
      ...fields,
    });

    it('finds a key by its hash, expired and revoked ones included', async () => {
      const keys = [
        aKey('a'),
        aKey('b', { expiresAt: 1, role: 'viewer' }),
        aKey('c', { revokedAt: 2 }),
        aKey('d', { agents: ['x', 'y'] }),
      ];
      for (const key of keys) expect(await scene.stores.keys.add(key)).toBe(true);

      for (const key of keys) expect(await scene.stores.keys.findByHash(key.hash)).toEqual(key);
      expect(await scene.stores.keys.findByHash('hash-of-nothing')).toBeUndefined();
    });

    it('refuses a hash that exists in any namespace and keeps the first key', async () => {
      const key = aKey('a');
      await scene.stores.keys.add(key);

      expect(await scene.stores.keys.add(aKey('b', { hash: key.hash, namespace: 'other' }))).toBe(false);

      expect(await scene.stores.keys.findByHash(key.hash)).toEqual(key);
    });

    it('lists the keys of a namespace, newest first', async () => {
      const keys = [aKey('a', { createdAt: 1 }), aKey('c', { createdAt: 3 }), aKey('b', { createdAt: 3 })];
      for (const key of [...keys, aKey('d', { namespace: 'other' })]) await scene.stores.keys.add(key);

      const listed = await scene.stores.keys.list('default');

      expect(listed).toEqual([keys[1], keys[2], keys[0]]);
      expect(await scene.stores.keys.list('nowhere')).toEqual([]);
    });

    it('revokes a key once', async () => {
      const key = aKey('a');
      await scene.stores.keys.add(key);

      expect(await scene.stores.keys.revoke('default', key.id, 77)).toBe(true);
      expect(await scene.stores.keys.revoke('default', key.id, 88)).toBe(false);

      expect(await scene.stores.keys.findByHash(key.hash)).toEqual({ ...key, revokedAt: 77 });
    });

    it('revokes no key of another namespace, and none that does not exist', async () => {
      const key = aKey('a');
      await scene.stores.keys.add(key);

      expect(await scene.stores.keys.revoke('other', key.id, 77)).toBe(false);
      expect(await scene.stores.keys.revoke('default', 'key_x', 77)).toBe(false);

      expect(await scene.stores.keys.findByHash(key.hash)).toEqual(key);
    });

    it('adds a first key once, though twenty are added at the same time', async () => {
      const keys = Array.from({ length: 20 }, (_, index) => aKey(String(index)));

      const added = await Promise.all(keys.map((key) => scene.stores.keys.addFirst(key)));

      const first = keys.filter((_, index) => added[index] === true);
      expect(first).toHaveLength(1);
      expect(await scene.stores.keys.list('default')).toEqual(first);
    });

    it('adds no first key beside one of another namespace', async () => {
      await scene.stores.keys.add(aKey('a', { namespace: 'other', revokedAt: 1 }));

      expect(await scene.stores.keys.addFirst(aKey('b'))).toBe(false);
      expect(await scene.stores.keys.list('default')).toEqual([]);
    });

    it('knows whether any key exists, a revoked one included', async () => {
      expect(await scene.stores.keys.hasAny()).toBe(false);

      await scene.stores.keys.add(aKey('a', { namespace: 'other', revokedAt: 1 }));

      expect(await scene.stores.keys.hasAny()).toBe(true);
    });
  });
}
