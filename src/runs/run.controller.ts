import { Body, Controller, Get, HttpStatus, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { encodeCursor, offsetOf, type Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { workflowErrors } from '../workflows/domain/workflow.errors.js';
import { SIGNAL_NAME } from '../workflows/domain/kinds/signal.step.js';
import { ApiControl } from './api-control.decorator.js';
import { ApiStart } from './api-start.decorator.js';
import { runErrors } from './domain/run.errors.js';
import type { RunView, StepView } from './domain/view.js';
import { CancelRunDto, ControlRunDto } from './dto/control-run.dto.js';
import { SignalRunDto } from './dto/signal-run.dto.js';
import { EXAMPLE_COMPLETED_RUN, EXAMPLE_HELD_RUN, EXAMPLE_PAUSED_RUN, exampleStart } from './examples.js';
import { runFilterOf, RunListQueryDto } from './dto/run-query.dto.js';
import { RunDto, RunItemDto, StepDto } from './dto/run.dto.js';
import { StartRunDto } from './dto/start-run.dto.js';
import { startRequestOf } from './start-options.dto.js';
import { runItemOf } from './run-item.js';
import { RunControlService, type ControlCommand } from './run-control.service.js';
import { RunReader } from './run.reader.js';
import { StartResponder } from './start-responder.js';

const RUN_ID = { name: 'id', example: EXAMPLE_COMPLETED_RUN } as const;

function reasonOf({ reason }: ControlRunDto): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

@ApiTags('Runs')
@Controller('runs')
export class RunController {
  constructor(
    private readonly starts: StartResponder,
    private readonly reader: RunReader,
    private readonly control: RunControlService,
  ) {}

  @Post()
  @RateClass('start')
  @ApiOperation({
    summary: 'Start a run',
    description:
      'Of a definition, or of a stored workflow. Answers 202 once the run is durable. With `Prefer: wait=30` it answers 200 with the result when the run ends ' +
      'within that many seconds (at most 60). With `Idempotency-Key` the same body gives the first answer again.',
  })
  // Written out: an example made of all fields would have a definition and a workflow.
  @ApiExtraModels(StartRunDto)
  @ApiBody({ schema: { allOf: [{ $ref: getSchemaPath(StartRunDto) }], example: exampleStart } })
  @ApiStart(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
  )
  start(
    @Body() { definition, workflow, ...options }: StartRunDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const start = startRequestOf(options, { definition, workflow }, { namespace });
    return this.starts.answer(start, request, reply);
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List runs, newest first' })
  @ApiPage(RunItemDto, 'Runs, newest first')
  async list(
    @Query() query: RunListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<RunItemDto>> {
    const { limit, cursor } = query;
    const page = { limit, ...(cursor === undefined ? {} : { cursor }) };
    const { items, ...rest } = await this.reader.list(namespace, runFilterOf(query), page);
    return { ...rest, items: items.map(runItemOf) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'Read a run' })
  @ApiParam(RUN_ID)
  @ApiOkResponse({ type: RunDto })
  @ApiProblems(runErrors['run.not-found'])
  get(@Param('id') id: string, @CurrentPrincipal() { namespace }: Principal): Promise<RunView> {
    return this.reader.run(namespace, id);
  }

  @Get(':id/steps')
  @RateClass('read')
  @ApiOperation({ summary: 'List the steps of a run, in the order of the definition' })
  @ApiParam(RUN_ID)
  @ApiPage(StepDto, 'Steps in the order of the definition, then what undoes steps')
  @ApiProblems(runErrors['run.not-found'])
  async steps(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<StepView>> {
    const start = offsetOf(cursor);
    const steps = await this.reader.steps(namespace, id, start, limit + 1);
    if (steps.length <= limit) return { items: steps };
    return { items: steps.slice(0, limit), nextCursor: encodeCursor(String(start + limit)) };
  }

  @Get(':id/steps/:path')
  @RateClass('read')
  @ApiOperation({
    summary: 'Read one step of a run, or one item or iteration of a step, by its path',
    description:
      'A path is encoded: `parts[2]` as `parts%5B2%5D`, `polish[3]/check` as `polish%5B3%5D%2Fcheck`.',
  })
  @ApiParam(RUN_ID)
  @ApiParam({ name: 'path', example: 'greet' })
  @ApiOkResponse({ type: StepDto })
  @ApiProblems(runErrors['run.not-found'], runErrors['step.not-found'])
  step(
    @Param('id') id: string,
    @Param('path') path: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<StepView> {
    return this.reader.step(namespace, id, path);
  }

  @Post(':id/cancel')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Cancel a run',
    description:
      'What is under way is aborted; steps with `finally` still run, and with `compensate` what completed steps have done is undone before. A run that has ended is answered as it is.',
  })
  @ApiControl(EXAMPLE_COMPLETED_RUN)
  cancel(
    @Param('id') id: string,
    @Body() body: CancelRunDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const { compensate = false } = body;
    return this.send(
      id,
      { type: 'cancel', ...reasonOf(body), ...(compensate && { compensate }) },
      principal,
      reply,
    );
  }

  @Post(':id/pause')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({ summary: 'Pause a run', description: 'Nothing new starts; open attempts finish.' })
  @ApiControl(EXAMPLE_PAUSED_RUN)
  pause(
    @Param('id') id: string,
    @Body() body: ControlRunDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    return this.send(id, { type: 'pause', ...reasonOf(body) }, principal, reply);
  }

  @Post(':id/resume')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({ summary: 'Resume a paused run' })
  @ApiControl(EXAMPLE_PAUSED_RUN)
  resume(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    return this.send(id, { type: 'resume' }, principal, reply);
  }

  @Post(':id/signals/:name')
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Send a signal to a run',
    description:
      'The `signal` step that waits longest for the name completes with the data. A signal that no step waits for is kept, first in first out.',
  })
  @ApiParam({ name: 'name', description: SIGNAL_NAME.source, example: 'tempo.changed' })
  @ApiControl(EXAMPLE_HELD_RUN)
  @ApiProblems(runErrors['signal.too-many'])
  signal(
    @Param('id') id: string,
    @Param('name') name: string,
    @Body() { data = null }: SignalRunDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    return this.send(id, { type: 'signal', name, data }, principal, reply);
  }

  private async send(
    id: string,
    command: ControlCommand,
    { namespace, keyId }: Principal,
    reply: FastifyReply,
  ): Promise<RunView> {
    const by = keyId === undefined ? {} : { by: keyId };
    const { run, isRecorded } = await this.control.send(namespace, id, { ...command, ...by });
    void reply.status(isRecorded ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return run;
  }
}
