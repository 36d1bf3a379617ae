import { Controller, Get, Header, HttpStatus, Param, Query, Res, StreamableFile } from '@nestjs/common';
import {
  ApiHeader,
  ApiNotModifiedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { AppError } from '../kernel/failure.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { hasContent } from '../platform/http/if-none-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { ArtifactService } from './artifact.service.js';
import { runErrors } from './domain/run.errors.js';
import { ArtifactQueryDto } from './dto/run-query.dto.js';
import { EXAMPLE_ARTIFACT, EXAMPLE_COMPLETED_RUN } from './examples.js';
import { RunReader } from './run.reader.js';

/** An artifact is what an agent made: a browser that opens it runs nothing of it and gives it no origin. */
const SANDBOX = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'";

@ApiTags('Runs')
@Controller('runs')
export class ArtifactController {
  constructor(
    private readonly reader: RunReader,
    private readonly artifacts: ArtifactService,
  ) {}

  @Get(':id/artifacts/:name')
  @RateClass('read')
  @Header('Content-Security-Policy', SANDBOX)
  @ApiOperation({
    summary: 'Read a file that a step made',
    description:
      'Its names are listed with the step. `ETag` is the hash of the content: with `If-None-Match` a client that has it ' +
      'already is answered 304. `download=true` has a browser save it instead of showing it.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_COMPLETED_RUN })
  @ApiParam({ name: 'name', example: EXAMPLE_ARTIFACT })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'The `ETag` of content that is there already.',
  })
  @ApiOkResponse({ description: 'The content, under its own media type.' })
  @ApiNotModifiedResponse({ description: 'The client has the content already.' })
  @ApiProblems(runErrors['run.not-found'], runErrors['artifact.not-found'])
  async get(
    @Param('id') runId: string,
    @Param('name') name: string,
    @Query() { download = false }: ArtifactQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const artifact = await this.reader.artifact(namespace, runId, name);
    const tag = `"${artifact.hash}"`;
    // A later attempt may make another file of that name: the client asks again, and is answered in a few bytes.
    void reply.header('ETag', tag).header('Cache-Control', 'private, no-cache');
    if (hasContent(reply.request.headers['if-none-match'], tag)) {
      void reply.status(HttpStatus.NOT_MODIFIED);
      return undefined;
    }
    const content = await this.artifacts.content(namespace, artifact);
    if (content === undefined) {
      throw AppError.of(runErrors['artifact.not-found'], `the content of "${name}" is not kept any more`);
    }
    return new StreamableFile(content, {
      type: artifact.mediaType,
      length: content.byteLength,
      disposition: `${download ? 'attachment' : 'inline'}; filename="${name}"`,
    });
  }
}
