import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { AppError } from '../kernel/failure.js';
import { usdFromMicros } from '../kernel/money.js';
import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { agentErrors } from './agent.errors.js';
import { AgentService, type Agent } from './agent.service.js';
import { AgentDto, AgentResultDto, ExecuteAgentDto } from './dto/agent.dto.js';

const DEFAULT_TIMEOUT_MS = 60_000;

const AGENT_ID = { name: 'id', description: "The agent's key.", example: 'scripted' } as const;

@ApiTags('Agents')
@Controller('agents')
export class AgentController {
  constructor(private readonly agents: AgentService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List agents by key' })
  @ApiPage(AgentDto, 'Agents by key')
  async list(): Promise<Page<AgentDto>> {
    return { items: await Promise.all(this.agents.list().map((agent) => this.viewOf(agent))) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'Read an agent' })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentDto })
  @ApiProblems(agentErrors['agent.not-found'])
  get(@Param('id') key: string): Promise<AgentDto> {
    return this.viewOf(this.agents.get(key));
  }

  @Post(':id/execute')
  @HttpCode(200)
  @RateClass('execute')
  @Idempotent()
  @ApiOperation({
    summary: 'Call an agent once, outside a run',
    description: 'Nothing is recorded and nothing is retried. Closing the connection aborts the call.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentResultDto })
  @ApiProblems(
    agentErrors['agent.not-found'],
    agentErrors['agent.input-invalid'],
    agentErrors['agent.timed-out'],
  )
  async execute(
    @Param('id') key: string,
    @Body() { input = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: ExecuteAgentDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
  ): Promise<AgentResultDto> {
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort();
    };
    request.raw.socket.once('close', leave);
    const idempotencyKey = request.headers['idempotency-key']?.toString() ?? request.id;
    const call = { namespace, key, input, idempotencyKey, signal: gone.signal };
    const outcome = await this.agents.executeWithin(call, timeoutMs).finally(() => {
      request.raw.socket.off('close', leave); // the connection may carry many requests
    });
    if (outcome.status === 'failed') throw new AppError(outcome.failure);
    const { output, usage = {}, costMicros = 0 } = outcome;
    return { output, usage, costUsd: usdFromMicros(costMicros) };
  }

  private async viewOf({ key, kind, description, settings, version, isBuiltIn }: Agent): Promise<AgentDto> {
    const { status, reason } = await this.agents.health(key);
    const view = { key, kind, description, settings, version, isBuiltIn, status };
    return reason === undefined ? view : { ...view, statusReason: reason };
  }
}
