import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { encodeCursor, offsetOf } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { GraphQueryDto } from '../workflows/diagram.dto.js';
import { BlockerReader } from './blocker.reader.js';
import { mermaidOfRun, runGraphOf } from './domain/run-graph.js';
import { runErrors } from './domain/run.errors.js';
import { BlockersDto } from './dto/blocker.dto.js';
import { RunGraphDto } from './dto/run-graph.dto.js';
import { EXAMPLE_COMPLETED_RUN, EXAMPLE_PAUSED_RUN } from './examples.js';
import { StateReader } from './state.reader.js';

/** What is going on in a run, and why nothing is. */
@ApiTags('Runs')
@Controller('runs')
export class RunInsightController {
  constructor(
    private readonly blockers: BlockerReader,
    private readonly states: StateReader,
  ) {}

  @Get(':id/blockers')
  @RateClass('read')
  @ApiOperation({
    summary: 'Say what holds a run back',
    description:
      'For the run as a whole, and for each step, item and iteration that has not ended: what it waits for, and who has it. ' +
      'A run that has ended has none.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_PAUSED_RUN })
  @ApiOkResponse({ type: BlockersDto })
  @ApiProblems(runErrors['run.not-found'])
  async list(
    @Param('id') runId: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<BlockersDto> {
    const offset = offsetOf(cursor);
    const { status, lastSeq, run, units, more } = await this.blockers.read(namespace, runId, {
      offset,
      limit,
    });
    const next = more ? { nextCursor: encodeCursor(String(offset + limit)) } : {};
    return { status, lastSeq, run, items: units, ...next };
  }

  @Get(':id/graph')
  @RateClass('read')
  @ApiOperation({
    summary: 'Draw a run: its steps, what waits for what, and how far each is',
    description:
      'Items and iterations are counted with their step. `format=mermaid` answers the text of a flowchart.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_COMPLETED_RUN })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ type: RunGraphDto })
  @ApiProblems(runErrors['run.not-found'])
  async graph(
    @Param('id') runId: string,
    @Query() { format = 'json' }: GraphQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunGraphDto | string> {
    const graph = await this.states.read(namespace, runId, runGraphOf);
    if (format === 'json') return graph;
    void reply.type('text/plain; charset=utf-8');
    return mermaidOfRun(graph);
  }
}
