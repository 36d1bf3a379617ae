/**
 * Secrets as they are kept: encrypted, by name.
 *
 * Decided here: what a row holds. Decided elsewhere: how a value is encrypted (secret-box.ts), who may ask for one.
 */
import type { Page, PageRequest } from '../kernel/page.js';

export interface SealedSecret {
  readonly namespace: string;
  readonly name: string;
  /** The encrypted value, as `secret-box.ts` writes it. */
  readonly sealed: string;
  readonly createdAt: number;
  /** When the value was set last. */
  readonly updatedAt: number;
}

export abstract class SecretStore {
  /** Adds a secret, or gives the one of that name another value; its `createdAt` then stays. Atomic. */
  abstract put(secret: SealedSecret): Promise<void>;

  /** The secret of a name, or undefined when there is none in that namespace. */
  abstract find(namespace: string, name: string): Promise<SealedSecret | undefined>;

  /** Secrets by name. */
  abstract list(namespace: string, page: PageRequest): Promise<Page<SealedSecret>>;

  /** Deletes a secret; false when there is none. */
  abstract delete(namespace: string, name: string): Promise<boolean>;
}
