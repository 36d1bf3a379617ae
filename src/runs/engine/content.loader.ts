import { Injectable } from '@nestjs/common';

import { AppError } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { BlobStore } from '../../platform/ports/blob.store.js';
import { BlobRef, type BlobReference, type Kept } from '../domain/kept.js';
import { runErrors } from '../domain/run.errors.js';

/** A reference that leads nowhere. */
const GONE = Symbol('gone');

/** Loads what references stand for. */
@Injectable()
export class ContentLoader {
  constructor(private readonly blobs: BlobStore) {}

  /** What a reference stands for, for `require`. Rejects only when the record does not answer. */
  async find(namespace: string, { hash }: BlobReference): Promise<Json | typeof GONE> {
    const content = await this.blobs.find(namespace, hash);
    return content === undefined ? GONE : (JSON.parse(Buffer.from(content).toString('utf8')) as Json);
  }

  /** What was found. @throws AppError `blob.not-found` when it is not kept any more */
  require(found: Json | typeof GONE, { hash }: BlobReference): Json {
    if (found === GONE) throw AppError.of(runErrors['blob.not-found'], `blob ${hash} is not kept any more`);
    return found;
  }

  /** The value, loaded where it is a reference. @throws AppError `blob.not-found` */
  async whole(namespace: string, kept: Kept): Promise<Json> {
    return BlobRef.is(kept) ? this.require(await this.find(namespace, kept), kept) : kept;
  }
}
