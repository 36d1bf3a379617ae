/**
 * The large values of one run in the process that drives it.
 *
 * Decided here: what of them is at hand, which become blobs with the next append. What a turn has read stays at hand
 * for the next one, so items of one list do not load it each. Decided elsewhere: what is too large for an event
 * (domain/kept.ts).
 */
import { createHash } from 'node:crypto';

import { jsonSize } from '../../kernel/json-size.js';
import type { Json } from '../../kernel/json.js';
import { BlobRef, type BlobReference, type Contents, type Kept } from '../domain/kept.js';

/** A reference that an event of the run names for the first time here, and the content where it is new. */
export interface NamedBlob {
  readonly hash: string;
  readonly content?: Uint8Array;
}

export class RunContents implements Contents {
  private atHand = new Map<string, Json>();
  private before: ReadonlyMap<string, Json> = new Map();
  private readonly made = new Map<string, Uint8Array>();
  /** What events have named since the run was taken up here. */
  private readonly named = new Set<string>();
  private readonly missing = new Map<string, BlobRef>();
  /** The references of values at hand: a value that is passed on is not encoded again. */
  private readonly references = new WeakMap<object, BlobRef>();

  read(kept: Kept): Json {
    if (!BlobRef.is(kept)) return kept;
    const value = this.find(kept);
    if (value === undefined) this.missing.set(kept.hash, kept);
    return value ?? null;
  }

  has(reference: BlobRef): boolean {
    return this.find(reference) !== undefined;
  }

  keep(value: Json, maxSize: number): Kept {
    const known = typeof value === 'object' && value !== null ? this.references.get(value) : undefined;
    if (known !== undefined) return known;
    if (jsonSize(value, maxSize) <= maxSize) return value;
    const content = Buffer.from(JSON.stringify(value));
    const hash = createHash('sha256').update(content).digest('hex');
    const reference = new BlobRef(hash, content.byteLength);
    if (!this.named.has(hash)) this.made.set(hash, content);
    this.provide(reference, value);
    return reference;
  }

  takeMissing(): readonly BlobRef[] {
    if (this.missing.size === 0) return [];
    const missing = [...this.missing.values()];
    this.missing.clear();
    return missing;
  }

  /** Puts the value of a reference at hand. */
  provide(reference: BlobRef, value: Json): void {
    this.atHand.set(reference.hash, value);
    if (typeof value === 'object' && value !== null) this.references.set(value, reference);
  }

  /** What these references name for the first time, in an order that is the same for all runs. */
  takeNamed(references: readonly BlobReference[]): readonly NamedBlob[] {
    const hashes = new Set(references.map(({ hash }) => hash).filter((hash) => !this.named.has(hash)));
    const blobs = [...hashes].toSorted().map((hash) => {
      const content = this.made.get(hash);
      this.named.add(hash);
      return content === undefined ? { hash } : { hash, content };
    });
    this.made.clear();
    return blobs;
  }

  /** A turn is over: what it did not read is let go. */
  endTurn(): void {
    if (this.atHand.size === 0 && this.before.size === 0) return;
    this.before = this.atHand;
    this.atHand = new Map();
  }

  private find({ hash }: BlobRef): Json | undefined {
    const present = this.atHand.get(hash);
    if (present !== undefined) return present;
    const earlier = this.before.get(hash);
    if (earlier !== undefined) this.atHand.set(hash, earlier);
    return earlier;
  }
}
