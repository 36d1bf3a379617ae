import { Body, Controller, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import {
  DeleteLabel,
  GetVersion,
  GetVersions,
  PutLabel,
} from '../platform/versions/version-routes.decorator.js';
import { MoveLabelDto, RevisionDto, revisionViewOf, RollbackDto } from '../platform/http/dto/versions.dto.js';
import { editOf, withAccepted } from '../platform/versions/version-request.js';
import { labelIn, versionIn } from '../platform/http/dto/versions.dto.js';
import { AgentEditService } from './agent-edit.service.js';
import { AgentHealthService } from './agent-health.service.js';
import { AGENT_ID } from './agent.controller.js';
import { agentErrors } from './agent.errors.js';
import { AgentService } from './agent.service.js';
import type { Agent } from './domain/agent.js';
import { AgentDto, agentViewOf } from './dto/agent.dto.js';

const RESOURCE = { noun: 'an agent', id: AGENT_ID, type: AgentDto };

/** Versions of agents, and the labels on them. */
@ApiTags('Agents')
@Controller('agents')
export class AgentVersionController {
  constructor(
    private readonly agents: AgentService,
    private readonly edits: AgentEditService,
    private readonly health: AgentHealthService,
  ) {}

  @GetVersions(
    RESOURCE,
    {
      type: RevisionDto,
      description: 'Versions, newest first; none of an agent that comes with the service',
    },
    agentErrors['agent.not-found'],
  )
  async versions(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<RevisionDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.agents.versions(namespace, id, page);
    return { ...rest, items: items.map(revisionViewOf) };
  }

  @GetVersion(RESOURCE, agentErrors['agent.not-found'], agentErrors['agent.version-not-found'])
  async version(
    @Param('id') id: string,
    @Param('version') version: string,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const agent = await this.agents.get(principal.namespace, id, { version: versionIn(version) });
    return this.answer(reply, principal, agent);
  }

  @Post(':id/rollback')
  @HttpCode(200)
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Save an old version again',
    description: 'Makes a new version that says what the old one says: history is never rewritten.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentDto, description: 'The latest version.' })
  @ApiProblems(
    agentErrors['agent.not-found'],
    agentErrors['agent.version-not-found'],
    agentErrors['agent.invalid'],
    agentErrors['agent.built-in'],
    agentErrors['agent.contended'],
  )
  async rollback(
    @Param('id') id: string,
    @Body() body: RollbackDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const edit = withAccepted(editOf(id, principal, body), request);
    return this.answer(reply, principal, await this.edits.rollback(edit, body.version));
  }

  @PutLabel(
    RESOURCE,
    agentErrors['agent.not-found'],
    agentErrors['agent.version-not-found'],
    agentErrors['agent.label-reserved'],
    agentErrors['agent.built-in'],
  )
  async moveLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @Body() { version, reason }: MoveLabelDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AgentDto> {
    const move = { version, label: labelIn(label), ...(reason === undefined ? {} : { reason }) };
    return this.answer(reply, principal, await this.edits.moveLabel(editOf(id, principal), move));
  }

  @DeleteLabel(
    RESOURCE,
    agentErrors['agent.not-found'],
    agentErrors['agent.label-not-found'],
    agentErrors['agent.label-reserved'],
    agentErrors['agent.built-in'],
  )
  async removeLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.edits.removeLabel(namespace, id, labelIn(label));
  }

  private async answer(reply: FastifyReply, { namespace }: Principal, agent: Agent): Promise<AgentDto> {
    void reply.header('ETag', entityTagOf(agent.version));
    return agentViewOf(agent, await this.health.of(namespace, agent));
  }
}
