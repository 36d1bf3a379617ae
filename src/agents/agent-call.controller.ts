import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { AppError } from '../kernel/failure.js';
import { usdFromMicros } from '../kernel/money.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { ErrorCatalogue } from '../platform/http/error.catalogue.js';
import { failureOfException } from '../platform/http/exception-failure.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { problemOf, type ProblemDocument } from '../platform/http/problem.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { wantsStream } from '../platform/http/server-sent-events.js';
import { selectorOf } from '../platform/http/dto/versions.dto.js';
import { AgentCallService, type AgentCall } from './agent-call.service.js';
import { agentErrors } from './agent.errors.js';
import type { SettledOutcome } from './agent.provider.js';
import { AgentService } from './agent.service.js';
import { CallStream } from './call.stream.js';
import { AgentResultDto, ExecuteAgentDto } from './dto/execute-agent.dto.js';
import { AGENT_ID } from './agent.controller.js';

const DEFAULT_TIMEOUT_MS = 60_000;

/** Calling agents outside of runs. */
@ApiTags('Agents')
@Controller('agents')
export class AgentCallController {
  constructor(
    private readonly agents: AgentService,
    private readonly calls: AgentCallService,
    private readonly catalogue: ErrorCatalogue,
  ) {}

  @Post(':id/execute')
  @HttpCode(200)
  @RateClass('execute')
  @Idempotent()
  @ApiOperation({
    summary: 'Call an agent once, outside a run',
    description:
      'Nothing is recorded and nothing is retried. Closing the connection aborts the call. With ' +
      '`Accept: text/event-stream` a stream: `delta` with text and `progress` while it goes on, then `result` with ' +
      'the answer or `problem` with the problem document. An answer that is given again for an `Idempotency-Key` is JSON.',
  })
  @ApiParam(AGENT_ID)
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ type: AgentResultDto })
  @ApiProblems(
    agentErrors['agent.not-found'],
    agentErrors['agent.version-not-found'],
    agentErrors['agent.label-not-found'],
    agentErrors['agent.input-invalid'],
    agentErrors['agent.output-invalid'],
    agentErrors['agent.offline'],
    agentErrors['agent.timed-out'],
  )
  async execute(
    @Param('id') id: string,
    @Body() { input = {}, timeoutMs = DEFAULT_TIMEOUT_MS, ...selector }: ExecuteAgentDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentResultDto> {
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort();
    };
    request.raw.socket.once('close', leave);
    const idempotencyKey = request.headers['idempotency-key']?.toString() ?? request.id;
    const call = {
      ...{ namespace, reference: id, selector: selectorOf(selector), input, idempotencyKey },
      signal: gone.signal,
    };
    try {
      if (wantsStream(request.headers)) return await this.stream({ call, timeoutMs, leave }, request, reply);
      return resultOf(await this.calls.executeWithin(call, timeoutMs));
    } finally {
      request.raw.socket.off('close', leave); // the connection may carry many requests
    }
  }

  /** What can be said before the stream begins is said as an ordinary problem. */
  private async stream(
    { call, timeoutMs, leave }: { call: AgentCall; timeoutMs: number; leave: () => void },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<AgentResultDto> {
    await this.agents.get(call.namespace, call.reference, call.selector);
    reply.hijack();
    const stream = new CallStream(reply.raw, reply.getHeaders(), leave);
    try {
      const onPart: AgentCall['onPart'] = (part) => {
        stream.part(part);
      };
      const result = resultOf(await this.calls.executeWithin({ ...call, onPart }, timeoutMs));
      stream.end('result', result);
      return result;
    } catch (error) {
      stream.end('problem', this.problemOf(error, request));
      throw error;
    }
  }

  private problemOf(error: unknown, request: FastifyRequest): ProblemDocument {
    const failure = failureOfException(error);
    const place = { instance: request.url.split('?', 1)[0] ?? request.url, requestId: request.id };
    return problemOf(failure, place, this.catalogue.find(failure.code)?.title);
  }
}

function resultOf(outcome: SettledOutcome): AgentResultDto {
  if (outcome.status === 'failed') throw new AppError(outcome.failure);
  const { output, usage = {}, costMicros = 0 } = outcome;
  return { output, usage, costUsd: usdFromMicros(costMicros) };
}
