import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';

import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { wantsStream } from '../platform/http/server-sent-events.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { runErrors } from './domain/run.errors.js';
import { EXAMPLE_COMPLETED_RUN } from './examples.js';
import { EventsQueryDto } from './dto/run-query.dto.js';
import { EventPageDto } from './dto/run.dto.js';
import { streamEvents } from './event.stream.js';
import { RunReader } from './run.reader.js';

/** An event of a run: what follows it is read. */
interface LogPlace {
  readonly namespace: string;
  readonly runId: string;
  readonly afterSeq: number;
}

@ApiTags('Runs')
@Controller('runs')
export class RunEventsController {
  constructor(private readonly reader: RunReader) {}

  @Get(':id/events')
  @RateClass('read')
  @ApiOperation({
    summary: 'Read the events of a run',
    description:
      'JSON by default. With `Accept: application/x-ndjson` everything after `afterSeq` to the end of the log, one ' +
      'event a line, exactly as it is stored. With `Accept: text/event-stream` a live stream: `id` is the sequence number, `event` the ' +
      'type, `data` the event; `Last-Event-ID` goes on after that one; it closes after the terminal event. Of a run that was deleted the page is ' +
      'empty and has a `reset` with the last that is known of it; a stream says it as the event `reset`, and closes.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_COMPLETED_RUN })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Streams only: go on after this event.' })
  @ApiProduces('application/json', 'application/x-ndjson', 'text/event-stream')
  @ApiOkResponse({ type: EventPageDto })
  @ApiProblems(runErrors['run.not-found'])
  async events(
    @Param('id') runId: string,
    @Query() { afterSeq = 0, limit = 100 }: EventsQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { headers } = reply.request;
    if (headers.accept?.includes('application/x-ndjson') === true) {
      await this.export({ namespace, runId, afterSeq }, reply);
    } else if (wantsStream(headers)) {
      await this.stream({ namespace, runId, afterSeq: lastEventIdOf(headers) ?? afterSeq }, reply);
    } else {
      await reply
        .type('application/json')
        .send(await this.reader.eventsJson(namespace, runId, { afterSeq, limit }));
    }
  }

  private async export(from: LogPlace, reply: FastifyReply): Promise<void> {
    const { namespace, runId, afterSeq } = from;
    await this.reader.requireRow(namespace, runId);
    await reply
      .type('application/x-ndjson')
      .header('content-disposition', `attachment; filename="${runId}.ndjson"`)
      .send(Readable.from(this.reader.eventLines(namespace, runId, afterSeq)));
  }

  private async stream(from: LogPlace, reply: FastifyReply): Promise<void> {
    await this.reader.requireKnown(from.namespace, from.runId);
    reply.hijack();
    const gone = new AbortController();
    reply.raw.once('close', () => {
      gone.abort();
    });
    const feed = this.reader.follow({ ...from, signal: gone.signal });
    await streamEvents(reply.raw, feed, reply.getHeaders());
  }
}

/** Where a stream that comes back goes on (HTML Living Standard §9.2.4). */
function lastEventIdOf(headers: IncomingHttpHeaders): number | undefined {
  const given = headers['last-event-id'];
  return typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : undefined;
}
