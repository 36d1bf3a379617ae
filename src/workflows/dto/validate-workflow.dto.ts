import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { IssueDto } from '../../platform/http/dto/problem.dto.js';

/** The body of `POST /workflows/validate`. */
export class ValidateWorkflowDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The definition to check.',
    example: {
      name: 'diamond',
      steps: [
        { id: 'plan', agent: 'echo', input: { topic: '{{ input.topic }}' } },
        { id: 'left', agent: 'echo', input: '{{ steps.plan.output }}' },
        {
          id: 'right',
          agent: 'echo',
          input: '{{ steps.plan.output }}',
          when: 'steps.plan.output.topic != "skip"',
        },
        { id: 'join', agent: 'echo', dependsOn: ['left', 'right'] },
      ],
    },
  })
  @RawJson('object')
  readonly definition!: JsonObject;
}

/** What a valid definition comes to. */
export class WorkflowPlanDto {
  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: { type: 'string' } },
    description: 'Step ids by layer: a step stands one layer below the last of its dependencies.',
    example: [['plan'], ['left', 'right'], ['join']],
  })
  readonly layers!: readonly (readonly string[])[];

  @ApiProperty({
    type: [String],
    description: 'A longest chain of steps.',
    example: ['plan', 'left', 'join'],
  })
  readonly criticalPath!: readonly string[];

  @ApiProperty({ type: 'integer', description: 'Dependencies, stated and implied.', example: 4 })
  readonly edgeCount!: number;

  @ApiProperty({ type: 'integer', description: 'The most steps that depend on one step.', example: 2 })
  readonly maxFanOut!: number;
}

/** The answer of `POST /workflows/validate`. */
export class WorkflowValidationDto {
  @ApiProperty({ example: true })
  readonly valid!: boolean;

  @ApiProperty({
    type: () => [IssueDto],
    description: 'Every problem at once, with pointers from the root of the body.',
  })
  readonly issues!: readonly IssueDto[];

  @ApiPropertyOptional({ type: () => WorkflowPlanDto, description: 'Present when the definition is valid.' })
  readonly plan?: WorkflowPlanDto;
}
