/**
 * Bytes by the hash of their content. Writing the same bytes twice keeps them once; nothing ever changes.
 *
 * Decided here: a blob is durable before anything refers to it, and deleted when nothing does. Decided elsewhere: who
 * refers to it (runs/), when a run is deleted.
 */
export interface Blob {
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string;
  readonly content: Uint8Array;
}

/** The largest blob, in bytes. */
export const MAX_BLOB_BYTES = 50 * 1_048_576;

/** A blob that was put within this time is never deleted, in milliseconds: what refers to it may be on its way. */
export const BLOB_GRACE_MS = 3_600_000;

export abstract class BlobStore {
  /**
   * Keeps a blob; one that is kept already is kept on for at least `BLOB_GRACE_MS`. Resolves when it is durable.
   * What the log of a run refers to is put together with its events: see `AlsoRow`.
   */
  abstract put(namespace: string, blob: Blob, at: number): Promise<void>;

  /** The content of a hash, or undefined when it is not kept in that namespace. */
  abstract find(namespace: string, hash: string): Promise<Uint8Array | undefined>;

  /** The content of a hash that the log of a run refers to; undefined when it refers to none, or none is kept. */
  abstract findOfRun(namespace: string, runId: string, hash: string): Promise<Uint8Array | undefined>;

  /**
   * Lets go of what the log of a run refers to: the references, and the blobs that no other run refers to. For a run
   * that is being deleted; may be repeated.
   *
   * @param at now, in milliseconds since the epoch
   */
  abstract release(namespace: string, runId: string, at: number): Promise<void>;
}
