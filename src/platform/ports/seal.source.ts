/**
 * Encryption of values that a feature keeps in rows of its own.
 *
 * Decided here: what a value is sealed for. Decided elsewhere: the key, and how (access/).
 */

/** What a value belongs to. The name has a `/`, which no name of a secret has: `webhook/<id>`. */
export interface SealPlace {
  readonly namespace: string;
  readonly name: string;
}

export abstract class SealSource {
  /** Encrypts a value, which can be opened for the same place only. @throws AppError `secret.not-configured` */
  abstract seal(value: string, place: SealPlace): Promise<string>;

  /** The value that was sealed for a place. @throws AppError `secret.unreadable`, `secret.not-configured` */
  abstract open(sealed: string, place: SealPlace): Promise<string>;
}
