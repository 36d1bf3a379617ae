import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { workflowErrors } from '../workflows/domain/workflow.errors.js';
import { SimulateWorkflowDto, SimulationDto } from './dto/simulate-workflow.dto.js';
import { exampleSimulation } from './examples.js';
import { simulationErrors } from './simulation/simulation.errors.js';
import { SimulationService } from './simulation/simulation.service.js';

/** Rehearsing workflows. */
@ApiTags('Workflows')
@Controller('workflows')
export class SimulationController {
  constructor(private readonly simulations: SimulationService) {}

  @Post('simulate')
  @HttpCode(200)
  @RateClass('execute')
  @ApiOperation({
    summary: 'Simulate a run with mocks, a virtual clock and crashes',
    description:
      'Runs the definition on the engine that runs every workflow, with mocks in place of agents, signals and ' +
      'approvals. No time passes, nothing is called and nothing is kept. With `crashAfter: "every"` the process dies ' +
      'after every append; the answer says what was called twice, and whether the run came to the same as without.',
  })
  // Written out: an example made of all fields would have a definition and a workflow.
  @ApiExtraModels(SimulateWorkflowDto)
  @ApiBody({
    schema: {
      allOf: [{ $ref: getSchemaPath(SimulateWorkflowDto) }],
      example: { ...exampleSimulation, crashAfter: 'every' },
    },
  })
  @ApiOkResponse({ type: SimulationDto })
  @ApiProblems(
    definitionErrors['definition.invalid'],
    definitionErrors['input.invalid'],
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
    simulationErrors['simulation.limit-exceeded'],
  )
  async simulate(
    @Body() { crashAfter = 'none', ...body }: SimulateWorkflowDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<SimulationDto> {
    const simulation = await this.simulations.simulate({ ...body, namespace, crashAfter });
    return {
      ...simulation,
      events: simulation.events as readonly SimulationDto['events'][number][],
      sameEnd: simulation.differences.length === 0,
    };
  }
}
