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

  @ApiProperty({ type: 'integer', example: 4 })
  readonly stepCount!: number;

  @ApiProperty({ type: 'integer', description: 'Dependencies, stated and implied.', example: 4 })
  readonly edgeCount!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Steps of the largest layer: how many could run at once.',
    example: 2,
  })
  readonly maxWidth!: number;

  @ApiProperty({ type: 'integer', description: 'The most steps that depend on one step.', example: 2 })
  readonly maxFanOut!: number;
}

/** What may be a mistake, and refuses nothing. */
export class WarningDto extends IssueDto {
  @ApiProperty({ enum: ['warning'] })
  readonly severity!: 'warning';
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

  @ApiProperty({
    type: () => [WarningDto],
    description:
      'What may be a mistake in a valid definition: steps that never run, variables that no template reads, schemas ' +
      'that contradict each other. Refuses nothing.',
  })
  readonly warnings!: readonly WarningDto[];

  @ApiPropertyOptional({ type: () => WorkflowPlanDto, description: 'Present when the definition is valid.' })
  readonly plan?: WorkflowPlanDto;
}
