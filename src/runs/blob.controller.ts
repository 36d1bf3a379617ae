import { Controller, Get, Header, Param, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { AppError } from '../kernel/failure.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { BlobStore } from '../platform/ports/blob.store.js';
import { runErrors } from './domain/run.errors.js';
import { EXAMPLE_BLOB, EXAMPLE_LARGE_RUN } from './examples.js';

/** A browser that opens a value runs nothing of it. */
const SANDBOX = "sandbox; default-src 'none'";

@ApiTags('Runs')
@Controller('runs')
export class BlobController {
  constructor(private readonly blobs: BlobStore) {}

  @Get(':id/blobs/:hash')
  @RateClass('read')
  @Header('Content-Security-Policy', SANDBOX)
  @ApiOperation({
    summary: 'Read a large value that an event or a step refers to',
    description:
      'Inputs, outputs and recorded turns above 16 KiB stand in events as `{ hash, bytes }` under `inputRef`, `outputRef` or `bodyRef`. This is the value itself, byte for byte as it was kept.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_LARGE_RUN })
  @ApiParam({ name: 'hash', description: 'SHA-256 of the JSON text, hexadecimal.', example: EXAMPLE_BLOB })
  @ApiOkResponse({ description: 'Any JSON.' })
  @ApiProblems(runErrors['blob.not-found'])
  async get(
    @Param('id') runId: string,
    @Param('hash') hash: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<StreamableFile> {
    const content = await this.blobs.findOfRun(namespace, runId, hash);
    if (content === undefined) {
      throw AppError.of(runErrors['blob.not-found'], `run ${runId} refers to no blob ${hash}`);
    }
    return new StreamableFile(content, { type: 'application/json' });
  }
}
