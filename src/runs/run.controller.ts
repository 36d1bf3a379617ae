import {
  applyDecorators,
  Body,
  Controller,
  Get,
  HttpStatus,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { decodeCursor, encodeCursor, type Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { Clock } from '../platform/clock/clock.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { idempotencyRowOf } from '../platform/http/idempotency.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { runErrors } from './domain/run.errors.js';
import { isTerminal } from './domain/run.status.js';
import type { RunView, StepView } from './domain/view.js';
import { ControlRunDto } from './dto/control-run.dto.js';
import { EXAMPLE_COMPLETED_RUN, EXAMPLE_PAUSED_RUN } from './examples.js';
import { RunListQueryDto } from './dto/run-query.dto.js';
import { RunDto, RunItemDto, StepDto } from './dto/run.dto.js';
import { startRequestOf, StartRunDto } from './dto/start-run.dto.js';
import type { InboxCommand } from './run.inbox.js';
import { runItemOf } from './run-item.js';
import { RunControlService } from './run-control.service.js';
import { RunReader } from './run.reader.js';
import { RunService } from './run.service.js';

/** The longest that `Prefer: wait` makes a start wait, in seconds. */
const MAX_WAIT_S = 60;

const RUN_ID = { name: 'id', example: EXAMPLE_COMPLETED_RUN } as const;

/** What every control operation says alike. */
function ApiControl(exampleId: string): MethodDecorator {
  return applyDecorators(
    ApiParam({ ...RUN_ID, example: exampleId }),
    ApiOkResponse({ type: RunDto, description: 'Recorded; the run as it is now.' }),
    ApiAcceptedResponse({ type: RunDto, description: 'In the inbox of the run, not recorded within 2 s.' }),
    ApiProblems(runErrors['run.not-found'], runErrors['run.not-active']),
  );
}

function reasonOf({ reason }: ControlRunDto): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** Seconds of `Prefer: wait=…` (RFC 7240 §4.3) as milliseconds; 0 when absent or not a number. */
function waitOf(prefer: string | string[] | undefined): number {
  const wait = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(String(prefer ?? ''));
  return Math.min(Number(wait?.[1] ?? 0), MAX_WAIT_S) * 1_000;
}

@ApiTags('Runs')
@Controller('runs')
export class RunController {
  constructor(
    private readonly runs: RunService,
    private readonly reader: RunReader,
    private readonly control: RunControlService,
    private readonly clock: Clock,
  ) {}

  @Post()
  @RateClass('start')
  @ApiOperation({
    summary: 'Start a run',
    description:
      'Answers 202 once the run is durable. With `Prefer: wait=30` it answers 200 with the result when the run ends ' +
      'within that many seconds (at most 60). With `Idempotency-Key` the same body gives the first answer again.',
  })
  @ApiHeader({ name: 'Prefer', required: false, description: '`wait=30`: wait for the end, in seconds.' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: '1 to 255 visible characters, kept for 24 h.',
  })
  @ApiAcceptedResponse({ type: RunDto, description: 'Accepted and durable; `Location` leads to the run.' })
  @ApiOkResponse({ type: RunDto, description: 'Ended within the time that `Prefer: wait` allowed.' })
  @ApiProblems(
    definitionErrors['definition.invalid'],
    definitionErrors['input.invalid'],
    runErrors['queue.full'],
  )
  @ApiProblems(httpErrors['idempotency.mismatch'])
  async start(
    @Body() body: StartRunDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const idempotency = idempotencyRowOf(request, this.clock.now());
    const { run, isReplayed } = await this.runs.start(startRequestOf(body, namespace, idempotency));
    if (isReplayed) void reply.header('Idempotent-Replayed', 'true');
    void reply.header('Location', run.links.self);
    const waitMs = waitOf(request.headers['prefer']);
    const current = waitMs > 0 ? await this.reader.whenEnded(namespace, run.id, waitMs) : run;
    void reply.status(waitMs > 0 && isTerminal(current.status) ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return current;
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List runs, newest first' })
  @ApiPage(RunItemDto, 'Runs, newest first')
  async list(
    @Query() query: RunListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<RunItemDto>> {
    const { limit, cursor, from, to, ...filter } = query;
    const range = {
      ...(from === undefined ? {} : { from: Date.parse(from) }),
      ...(to === undefined ? {} : { to: Date.parse(to) }),
    };
    const page = { limit, ...(cursor === undefined ? {} : { cursor }) };
    const { items, ...rest } = await this.reader.list(namespace, { ...filter, ...range }, page);
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
  @ApiPage(StepDto, 'Steps in the order of the definition')
  @ApiProblems(runErrors['run.not-found'])
  async steps(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<StepView>> {
    const offset = cursor === undefined ? 0 : Number(decodeCursor(cursor) ?? 0);
    const start = Number.isSafeInteger(offset) && offset > 0 ? offset : 0;
    const steps = await this.reader.steps(namespace, id, start, limit + 1);
    if (steps.length <= limit) return { items: steps };
    return { items: steps.slice(0, limit), nextCursor: encodeCursor(String(start + limit)) };
  }

  @Get(':id/steps/:path')
  @RateClass('read')
  @ApiOperation({ summary: 'Read one step of a run, with input, output and attempts' })
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
  @ApiOperation({ summary: 'Cancel a run', description: 'A run that has ended is answered as it is.' })
  @ApiControl(EXAMPLE_COMPLETED_RUN)
  cancel(
    @Param('id') id: string,
    @Body() body: ControlRunDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    return this.send(id, { type: 'cancel', ...reasonOf(body) }, principal, reply);
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

  private async send(
    id: string,
    command: InboxCommand,
    { namespace, keyId }: Principal,
    reply: FastifyReply,
  ): Promise<RunView> {
    const by = keyId === undefined ? {} : { by: keyId };
    const { run, isRecorded } = await this.control.send(namespace, id, { ...command, ...by });
    void reply.status(isRecorded ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return run;
  }
}
