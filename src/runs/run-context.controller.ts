import { Body, Controller, Get, HttpStatus, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { contextErrors } from '../context/domain/context.errors.js';
import { AppError } from '../kernel/failure.js';
import { isJsonObject } from '../kernel/json.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { acceptedVersionsOf, ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { runErrors } from './domain/run.errors.js';
import type { RunView } from './domain/view.js';
import {
  ContextQueryDto,
  CreateSnapshotDto,
  RunContextDto,
  SnapshotDto,
  SnapshotListDto,
} from './dto/run-context.dto.js';
import { RunDto } from './dto/run.dto.js';
import { EXAMPLE_HELD_RUN, EXAMPLE_SNAPSHOT } from './examples.js';
import { RunContextService } from './run-context.service.js';

const RUN_ID = { name: 'id', example: EXAMPLE_HELD_RUN } as const;

@ApiTags('Runs')
@Controller('runs')
export class RunContextController {
  constructor(private readonly contexts: RunContextService) {}

  @Get(':id/context')
  @RateClass('read')
  @ApiOperation({ summary: 'Read the context of a run, or a part of it' })
  @ApiParam(RUN_ID)
  @ApiOkResponse({ type: RunContextDto })
  @ApiProblems(runErrors['run.not-found'], contextErrors['context.path-not-found'])
  async read(
    @Param('id') runId: string,
    @Query() { path }: ContextQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunContextDto> {
    const view = await this.contexts.read({ namespace, runId }, path);
    void reply.header('ETag', entityTagOf(view.version));
    return view;
  }

  @Patch(':id/context')
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Change the context of a run',
    description:
      'A JSON Merge Patch (RFC 7396): null removes a key, objects are merged, everything else replaces. Steps that ' +
      'start afterwards read it. `If-Match` names the version that the change is based on.',
  })
  @ApiParam(RUN_ID)
  @ApiBody({ schema: { type: 'object', additionalProperties: true, example: { locale: 'fr' } } })
  @ApiOkResponse({ type: RunContextDto, description: 'Recorded; the context as it is now.' })
  @ApiAcceptedResponse({
    type: RunContextDto,
    description: 'In the inbox of the run, not recorded within 2 s; the context as it is now.',
  })
  @ApiProblems(runErrors['run.not-found'], runErrors['run.not-active'], contextErrors['context.too-large'])
  async patch(
    @Param('id') runId: string,
    @Body() patch: unknown,
    @CurrentPrincipal() { namespace, keyId }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunContextDto> {
    if (!isJsonObject(patch))
      throw AppError.of(httpErrors['request.invalid'], 'the body of a merge patch is a JSON object');
    const versions = acceptedVersionsOf(request);
    const { isRecorded, ...view } = await this.contexts.patch({ namespace, runId }, patch, {
      ...(versions && { versions }),
      ...(keyId !== undefined && { by: keyId }),
    });
    void reply.status(isRecorded ? HttpStatus.OK : HttpStatus.ACCEPTED);
    void reply.header('ETag', entityTagOf(view.version));
    return view;
  }

  @Get(':id/snapshots')
  @RateClass('read')
  @ApiOperation({ summary: 'List the snapshots of a run, in the order in which they were made' })
  @ApiParam(RUN_ID)
  @ApiOkResponse({ type: SnapshotListDto })
  @ApiProblems(runErrors['run.not-found'])
  async list(
    @Param('id') runId: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<SnapshotListDto> {
    return { items: await this.contexts.snapshots({ namespace, runId }) };
  }

  @Post(':id/snapshots')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Name the context of a run as it is now',
    description: 'A snapshot is a position in the log, not a copy: it costs one event.',
  })
  @ApiParam(RUN_ID)
  @ApiCreatedResponse({ type: SnapshotDto })
  @ApiAcceptedResponse({ description: 'In the inbox of the run, not recorded within 2 s.' })
  @ApiProblems(
    runErrors['run.not-found'],
    runErrors['run.not-active'],
    contextErrors['snapshot.exists'],
    contextErrors['snapshot.too-many'],
  )
  async create(
    @Param('id') runId: string,
    @Body() { name }: CreateSnapshotDto,
    @CurrentPrincipal() { namespace, keyId }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SnapshotDto | undefined> {
    const { snapshot } = await this.contexts.createSnapshot({ namespace, runId }, name, keyId);
    void reply.status(snapshot === undefined ? HttpStatus.ACCEPTED : HttpStatus.CREATED);
    return snapshot;
  }

  @Post(':id/snapshots/:name/restore')
  @RateClass('start')
  @Idempotent()
  @ApiOperation({
    summary: 'Restore the context of a snapshot',
    description:
      'A paused run gets the context back that it had; what its steps have done stays. A run that has ended is forked from ' +
      'there: the answer is the fork.',
  })
  @ApiParam(RUN_ID)
  @ApiParam({ name: 'name', example: EXAMPLE_SNAPSHOT })
  @ApiOkResponse({ type: RunDto, description: 'Recorded; the run as it is now.' })
  @ApiAcceptedResponse({
    type: RunDto,
    description: 'The fork, to which `Location` leads; or the run, whose inbox has the command.',
  })
  @ApiProblems(
    runErrors['run.not-found'],
    runErrors['run.not-paused'],
    runErrors['run.not-active'],
    contextErrors['snapshot.not-found'],
    runErrors['queue.full'],
  )
  async restore(
    @Param('id') runId: string,
    @Param('name') name: string,
    @CurrentPrincipal() { namespace, keyId }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const { run, isForked, isRecorded } = await this.contexts.restore({ namespace, runId }, name, keyId);
    void reply.status(isRecorded && !isForked ? HttpStatus.OK : HttpStatus.ACCEPTED);
    if (isForked) void reply.header('Location', run.links.self);
    return run;
  }
}
