import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { AgentEditService } from './agent-edit.service.js';
import { AgentHealthService } from './agent-health.service.js';
import { AGENT_ID } from './agent.controller.js';
import { agentErrors } from './agent.errors.js';
import { AgentHealthDto, healthViewOf } from './dto/agent.dto.js';
import { AgentStatusDto } from './dto/edit-agent.dto.js';

/** Whether agents can be called. */
@ApiTags('Agents')
@Controller('agents')
export class AgentHealthController {
  constructor(
    private readonly health: AgentHealthService,
    private readonly edits: AgentEditService,
  ) {}

  @Get(':id/health')
  @RateClass('read')
  @ApiOperation({
    summary: 'Probe an agent now',
    description:
      '`available`: it can be called. `degraded`: it answers, worse than usual. `busy`: calls wait for its limits. ' +
      '`offline`: a call would fail. The probe costs nothing at a provider that charges.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentHealthDto })
  @ApiProblems(agentErrors['agent.not-found'])
  async probe(
    @Param('id') id: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<AgentHealthDto> {
    return healthViewOf(await this.health.probe(namespace, id));
  }

  @Put(':id/status')
  @RateClass('write')
  @ApiOperation({
    summary: 'Take an agent offline or back',
    description:
      'For every caller at once. Calls under way go on; new ones are refused with `agent.offline`.',
  })
  @ApiParam(AGENT_ID)
  @ApiOkResponse({ type: AgentHealthDto })
  @ApiProblems(agentErrors['agent.not-found'], agentErrors['agent.built-in'])
  async setStatus(
    @Param('id') id: string,
    @Body() { status }: AgentStatusDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<AgentHealthDto> {
    await this.edits.setOffline(namespace, id, status === 'offline');
    return healthViewOf(await this.health.probe(namespace, id));
  }
}
