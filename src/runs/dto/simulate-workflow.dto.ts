import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

import type { Json, JsonObject } from '../../kernel/json.js';
import { RawJson } from '../../platform/http/dto.decorator.js';
import { exampleSimulation } from '../examples.js';
import { RunDto, RunEventDto } from './run.dto.js';
import { WorkflowReferenceDto } from './start-run.dto.js';
import { RunContext, RunInput } from '../run-fields.decorator.js';

const CRASHES = ['none', 'every'] as const;

/** The body of `POST /workflows/simulate`: exactly one of `definition` and `workflow`. */
export class SimulateWorkflowDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The definition to simulate.',
    example: exampleSimulation.definition,
  })
  @IsOptional()
  @RawJson('object')
  readonly definition?: JsonObject;

  @ApiPropertyOptional({
    type: () => WorkflowReferenceDto,
    description: 'A stored workflow, in place of a definition: `{ id | name, version | label }`.',
  })
  @IsOptional()
  @RawJson('object')
  readonly workflow?: JsonObject;

  @RunInput(exampleSimulation.input)
  readonly input?: Json;

  @RunContext()
  readonly context?: JsonObject;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'What answers in place of agents, signals and approvals, by path (`parts[2]`), key (`polish/check`) or id of a ' +
      'step: `{ output }`, `{ failure: { code, message?, retryable? } }`, or of an approval `{ decision, data? }`, each ' +
      'with `delayMs` of virtual time; or a list of these, consumed in turn, whose last one answers all that follow. ' +
      'An agent or a sub-run without a mock answers its input; a signal or an approval without one never comes.',
    example: exampleSimulation.mocks,
  })
  @IsOptional()
  @RawJson('object')
  readonly mocks?: JsonObject;

  @ApiPropertyOptional({
    enum: CRASHES,
    default: 'none',
    description:
      '`every`: the process dies after every append, once, and another one takes the run over; at most twice in a ' +
      'row with nothing done between: going on like that would end the run as poisoned.',
    example: 'every',
  })
  @IsOptional()
  @IsIn(CRASHES)
  readonly crashAfter?: (typeof CRASHES)[number];
}

/** A unit whose agent was called again because a process had died. */
export class RepeatedCallDto {
  @ApiProperty({ example: 'greet' })
  readonly path!: string;

  @ApiProperty({ type: 'integer', description: 'Attempts in all.', example: 2 })
  readonly calls!: number;

  @ApiProperty({ type: 'integer', description: 'Those that ended with their process.', example: 1 })
  readonly interrupted!: number;
}

/** Something that came out otherwise with crashes than without. */
export class DifferenceDto {
  @ApiProperty({ description: '`status`, `output`, `context`, or the id of a step.', example: 'output' })
  readonly of!: string;

  @ApiProperty({ description: 'Any JSON.', type: 'object', additionalProperties: true })
  readonly withoutCrashes!: Json;

  @ApiProperty({ description: 'Any JSON.', type: 'object', additionalProperties: true })
  readonly withCrashes!: Json;
}

/** The answer of `POST /workflows/simulate`. */
export class SimulationDto {
  @ApiProperty({
    type: () => RunDto,
    description: 'The run as it ended, or as it waits for what never comes.',
  })
  readonly run!: RunDto;

  @ApiProperty({ type: () => [RunEventDto], description: 'The whole log, dated by the virtual clock.' })
  readonly events!: readonly RunEventDto[];

  @ApiProperty({ type: 'integer', description: 'From the first event to the last, by the virtual clock.' })
  readonly virtualMs!: number;

  @ApiProperty({ type: 'integer', description: 'How often the process died.', example: 4 })
  readonly crashes!: number;

  @ApiProperty({ type: () => [RepeatedCallDto], description: 'What was called again, with the same key.' })
  readonly repeated!: readonly RepeatedCallDto[];

  @ApiProperty({ description: 'Whether the run came to the same with crashes and without.', example: true })
  readonly sameEnd!: boolean;

  @ApiProperty({ type: () => [DifferenceDto], description: 'Empty when it came to the same.' })
  readonly differences!: readonly DifferenceDto[];
}
