import { SecretStore, type SealedSecret } from '../../access/secret.store.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';

export class MemorySecretStore extends SecretStore {
  private readonly secrets = new Map<string, SealedSecret>();

  override put(secret: SealedSecret): Promise<void> {
    const id = idOf(secret.namespace, secret.name);
    const createdAt = this.secrets.get(id)?.createdAt ?? secret.createdAt;
    this.secrets.set(id, { ...secret, createdAt });
    return Promise.resolve();
  }

  override find(namespace: string, name: string): Promise<SealedSecret | undefined> {
    return Promise.resolve(this.secrets.get(idOf(namespace, name)));
  }

  override list(namespace: string, { limit, cursor }: PageRequest): Promise<Page<SealedSecret>> {
    const after = (cursor === undefined ? undefined : decodeCursor(cursor)) ?? '';
    const found = [...this.secrets.values()].filter((one) => one.namespace === namespace && one.name > after);
    const sorted = found.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit + 1);
    return Promise.resolve(pageOf(sorted, limit, ({ name }) => name));
  }

  override delete(namespace: string, name: string): Promise<boolean> {
    return Promise.resolve(this.secrets.delete(idOf(namespace, name)));
  }
}

/** Neither part holds a line feed. */
function idOf(namespace: string, name: string): string {
  return `${namespace}\n${name}`;
}
