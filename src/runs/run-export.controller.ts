import { Readable } from 'node:stream';

import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { AppError } from '../kernel/failure.js';
import { MAX_PAGE_LIMIT } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { runErrors } from './domain/run.errors.js';
import { RunExportQueryDto, runFilterOf } from './dto/run-query.dto.js';
import type { RunFilter } from './run.catalogue.js';
import { RunReader } from './run.reader.js';

/** Taking the history of many runs along. */
@ApiTags('Runs')
@Controller('runs')
export class RunExportController {
  constructor(private readonly reader: RunReader) {}

  @Get('export')
  @RateClass('execute')
  @ApiOperation({
    summary: 'Export the logs of runs as JSON lines',
    description:
      'Every event of every run that matches, one a line, exactly as it is stored: run after run, the newest first, the ' +
      'events of each by their numbers. The answer is made while it is read, so it may be as long as the record is.',
  })
  @ApiOkResponse({
    description: 'Events, one a line.',
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  })
  async export(
    @Query() query: RunExportQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await reply
      .type('application/x-ndjson')
      .header('content-disposition', 'attachment; filename="runs.ndjson"')
      .send(Readable.from(this.lines(namespace, runFilterOf(query))));
  }

  private async *lines(namespace: string, filter: RunFilter): AsyncGenerator<string, void, undefined> {
    for (let cursor: string | undefined, isMore = true; isMore;) {
      const page = await this.reader.list(namespace, filter, {
        limit: MAX_PAGE_LIMIT,
        ...(cursor !== undefined && { cursor }),
      });
      for (const { id } of page.items) yield* this.linesOf(namespace, id);
      cursor = page.nextCursor;
      isMore = cursor !== undefined;
    }
  }

  /** A run that is removed while it is exported ends there. */
  private async *linesOf(namespace: string, runId: string): AsyncGenerator<string, void, undefined> {
    try {
      yield* this.reader.eventLines(namespace, runId, 0);
    } catch (error) {
      if (!AppError.is(error) || error.failure.code !== runErrors['run.not-found'].code) throw error;
    }
  }
}
