import { Controller, Get, Header, Param, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { AppError } from '../kernel/failure.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { ArtifactService } from './artifact.service.js';
import { runErrors } from './domain/run.errors.js';
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
    description: 'Its names are listed with the step.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_COMPLETED_RUN })
  @ApiParam({ name: 'name', example: EXAMPLE_ARTIFACT })
  @ApiOkResponse({ description: 'The content, under its own media type.' })
  @ApiProblems(runErrors['run.not-found'], runErrors['artifact.not-found'])
  async get(
    @Param('id') runId: string,
    @Param('name') name: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<StreamableFile> {
    const artifact = await this.reader.artifact(namespace, runId, name);
    const content = await this.artifacts.content(namespace, artifact);
    if (content === undefined) {
      throw AppError.of(runErrors['artifact.not-found'], `the content of "${name}" is not kept any more`);
    }
    return new StreamableFile(content, {
      type: artifact.mediaType,
      disposition: `inline; filename="${name}"`,
    });
  }
}
