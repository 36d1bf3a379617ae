/**
 * Bytes by the hash of their content. Writing the same bytes twice keeps them once; nothing ever changes.
 *
 * Decided here: a blob is durable before anything refers to it. Decided elsewhere: who refers to it (runs/), when
 * what nobody refers to is swept.
 */
export interface Blob {
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string;
  readonly content: Uint8Array;
}

/** The largest blob, in bytes. */
export const MAX_BLOB_BYTES = 50 * 1_048_576;

export abstract class BlobStore {
  /** Keeps a blob; does nothing when it is kept already. Resolves when it is durable. */
  abstract put(namespace: string, blob: Blob, at: number): Promise<void>;

  /** The content of a hash, or undefined when it is not kept in that namespace. */
  abstract find(namespace: string, hash: string): Promise<Uint8Array | undefined>;
}
