import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { agentErrors } from '../agents/agent.errors.js';
import type { AgentArtifact } from '../agents/agent.provider.js';
import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { BlobStore, MAX_BLOB_BYTES } from '../platform/ports/blob.store.js';
import type { ArtifactRef } from './domain/run.events.js';

/** How many artifacts one attempt may make. */
const MAX_ARTIFACTS = 100;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9.+-]{1,64}(; ?charset=[a-z0-9-]+)?$/;

/** Keeps the files that attempts make. */
@Injectable()
export class ArtifactService {
  constructor(
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps the artifacts of a step, an item or an iteration; resolves when all are durable.
   *
   * @throws AppError `agent.output-invalid` for a name, media type, number or size that is not allowed
   */
  async keep(
    namespace: string,
    path: string,
    artifacts: readonly AgentArtifact[],
  ): Promise<readonly ArtifactRef[]> {
    const problem = problemOf(artifacts);
    if (problem !== undefined) throw AppError.of(agentErrors['agent.output-invalid'], problem);
    const prefix = path.replaceAll(/[[/]/g, '.').replaceAll(']', '');
    return Promise.all(
      artifacts.map(async ({ name, mediaType, content }) => {
        const hash = createHash('sha256').update(content).digest('hex');
        await this.blobs.put(namespace, { hash, content }, this.clock.now());
        return { name: `${prefix}.${name}`, mediaType, bytes: content.byteLength, hash };
      }),
    );
  }

  /** The content of an artifact; undefined when it is not kept any more. */
  content(namespace: string, { hash }: ArtifactRef): Promise<Uint8Array | undefined> {
    return this.blobs.find(namespace, hash);
  }
}

function problemOf(artifacts: readonly AgentArtifact[]): string | undefined {
  if (artifacts.length > MAX_ARTIFACTS) return `an attempt makes at most ${MAX_ARTIFACTS} artifacts`;
  if (new Set(artifacts.map(({ name }) => name)).size < artifacts.length)
    return 'two artifacts have the same name';
  for (const { name, mediaType, content } of artifacts) {
    if (!NAME.test(name)) return `${JSON.stringify(name)} is not a name of an artifact`;
    if (!MEDIA_TYPE.test(mediaType)) return `${JSON.stringify(mediaType)} is not a media type`;
    if (content.byteLength > MAX_BLOB_BYTES) return `artifact ${name} is larger than ${MAX_BLOB_BYTES} bytes`;
  }
  return undefined;
}
