import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { DeleteQueryDto, selectorOf, VersionQueryDto } from '../platform/http/dto/versions.dto.js';
import { editOf, withAccepted } from '../platform/versions/version-request.js';
import { AgentEditService } from './agent-edit.service.js';
import { AgentHealthService } from './agent-health.service.js';
import { agentErrors } from './agent.errors.js';
import { AgentService } from './agent.service.js';
import type { Agent } from './domain/agent.js';
import { bodyOf, nextBodyOf } from './dto/agent-body.js';
import { AgentListQueryDto } from './dto/agent-query.dto.js';
import { AgentDto, agentItemOf, AgentItemDto, AgentKindsDto, agentViewOf } from './dto/agent.dto.js';
import { CreateAgentDto, UpdateAgentDto } from './dto/edit-agent.dto.js';
import { EXAMPLE_AGENT, EXAMPLE_OLD_AGENT } from './examples.js';

export const AGENT_ID = {
  name: 'id',
  description: "The agent's id or key.",
  example: EXAMPLE_AGENT,
} as const;

@ApiTags('Agents')
@Controller('agents')
export class AgentController {
  constructor(
    private readonly agents: AgentService,
    private readonly edits: AgentEditService,
    private readonly health: AgentHealthService,
  ) {}

  @Post()
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Register an agent',
    description: 'Its first version. The settings are checked by the kind; see `GET /agents/kinds`.',
  })
  @ApiCreatedResponse({ type: AgentDto, description: '`Location` leads to the agent.' })
  @ApiProblems(agentErrors['agent.invalid'], agentErrors['agent.key-taken'])
  async create(
    @Body() body: CreateAgentDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const agent = await this.edits.create(editOf('', principal, body), { key: body.key, body: bodyOf(body) });
    void reply.header('Location', `/api/v1/agents/${agent.id}`);
    return this.answer(reply, principal, agent);
  }

  @Get()
  @RateClass('read')
  @ApiOperation({
    summary: 'List agents',
    description: 'Those that come with the service by key, then the others, newest first.',
  })
  @ApiPage(AgentItemDto, 'Agents as their latest versions are')
  async list(
    @Query() { kind, status, capability, tag, search, limit, cursor }: AgentListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<AgentItemDto>> {
    const filter = {
      ...(kind !== undefined && { kind }),
      ...(capability !== undefined && { capability }),
      ...(tag !== undefined && { tag }),
      ...(search !== undefined && { search }),
    };
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.health.list(namespace, { ...filter, status }, page);
    return { ...rest, items: items.map(({ agent, health }) => agentItemOf(agent, health)) };
  }

  @Get('kinds')
  @RateClass('read')
  @ApiOperation({ summary: 'List the kinds of agents, with the settings that each takes' })
  @ApiOkResponse({ type: AgentKindsDto })
  kinds(): AgentKindsDto {
    return { items: this.agents.kinds() };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({
    summary: 'Read an agent',
    description:
      'With neither `version` nor `label`: `production` where that label exists, else `latest`; `label` says which.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentDto })
  @ApiProblems(
    agentErrors['agent.not-found'],
    agentErrors['agent.version-not-found'],
    agentErrors['agent.label-not-found'],
  )
  async get(
    @Param('id') id: string,
    @Query() query: VersionQueryDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const agent = await this.agents.get(principal.namespace, id, selectorOf(query));
    return this.answer(reply, principal, agent);
  }

  @Put(':id')
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Save a new version',
    description:
      'What is left out stays as it is; an empty name or schema takes it away. A save that changes nothing makes no version.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentDto, description: 'The latest version.' })
  @ApiProblems(
    agentErrors['agent.not-found'],
    agentErrors['agent.invalid'],
    agentErrors['agent.built-in'],
    agentErrors['agent.contended'],
  )
  async update(
    @Param('id') id: string,
    @Body() body: UpdateAgentDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const edit = withAccepted(editOf(id, principal, body), request);
    const agent = await this.edits.update(edit, (latest) => nextBodyOf(body, latest));
    return this.answer(reply, principal, agent);
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({
    summary: 'Delete an agent with all its versions',
    description:
      'Refused while something refers to it, unless `force=true`. A run that has yet to call it fails there.',
  })
  @ApiParam({ ...AGENT_ID, example: EXAMPLE_OLD_AGENT })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(agentErrors['agent.not-found'], agentErrors['agent.built-in'], agentErrors['agent.in-use'])
  async delete(
    @Param('id') id: string,
    @Query() { force = false }: DeleteQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.edits.delete(namespace, id, force);
  }

  private async answer(reply: FastifyReply, { namespace }: Principal, agent: Agent): Promise<AgentDto> {
    void reply.header('ETag', entityTagOf(agent.version));
    return agentViewOf(agent, await this.health.of(namespace, agent));
  }
}
