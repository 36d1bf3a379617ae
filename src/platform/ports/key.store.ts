/**
 * API keys. Only a hash is stored; the key itself is shown once, when it is made.
 *
 * Decided here: what a key row holds. Decided elsewhere: how a key is checked (platform/auth).
 */

/** Roles, from the widest. Until roles are enforced every key is an `admin` of its namespace. */
export type Role = 'admin' | 'editor' | 'operator' | 'approver' | 'viewer';

export interface ApiKey {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly role: Role;
  /** Keys of the agents whose tasks it may poll and answer, and nothing else. Undefined: the key is not narrowed. */
  readonly agents?: readonly string[];
  /** SHA-256 of the key, hexadecimal: keys are 256 random bits, so a slow hash adds nothing. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
}

export abstract class KeyStore {
  /** Adds a key; false when a key of the same hash exists. */
  abstract add(key: ApiKey): Promise<boolean>;

  /** Adds a key where there is none at all, in any namespace; false otherwise. Of those who do so at once one wins. */
  abstract addFirst(key: ApiKey): Promise<boolean>;

  /** The key of a hash, expired and revoked ones included: the caller decides. */
  abstract findByHash(hash: string): Promise<ApiKey | undefined>;

  /** Keys of a namespace, newest first (`createdAt`, then id), expired and revoked ones included. */
  abstract list(namespace: string): Promise<readonly ApiKey[]>;

  /** Marks a key revoked; false when there is none or it was revoked before. */
  abstract revoke(namespace: string, id: string, at: number): Promise<boolean>;

  /** True when any key exists in any namespace, revoked ones included: the service is then never open. */
  abstract hasAny(): Promise<boolean>;
}
