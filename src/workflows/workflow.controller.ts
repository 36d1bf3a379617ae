import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { ValidateWorkflowDto, WorkflowValidationDto } from './dto/validate-workflow.dto.js';
import { WorkflowService } from './workflow.service.js';

@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowController {
  constructor(private readonly workflows: WorkflowService) {}

  @Post('validate')
  @HttpCode(200)
  @RateClass('read')
  @ApiOperation({
    summary: 'Check a definition without running it',
    description:
      'Answers 200 with every problem at once, each with a JSON Pointer and a code; else with the plan.',
  })
  @ApiOkResponse({ type: WorkflowValidationDto })
  validate(
    @Body() { definition }: ValidateWorkflowDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<WorkflowValidationDto> {
    return this.workflows.validate(namespace, definition, '/definition');
  }
}
