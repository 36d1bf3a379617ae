import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsDefined,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';

import type { Json } from '../../kernel/json.js';
import { Nested, RawJson } from '../../platform/http/dto.decorator.js';
import { exampleOutput } from '../task-examples.js';

const MAX_TASKS = 50;
const MAX_WAIT_MS = 30_000;
const MAX_RETRY_AFTER_MS = 86_400_000;
const DEADLINE = {
  format: 'date-time',
  description: 'When the lease runs out unless a heartbeat came before.',
  example: '2026-01-31T12:01:00.000Z',
} as const;

/** The body of `POST /tasks/poll`. */
export class PollTasksDto {
  @ApiProperty({ description: 'The key of an agent of kind `worker`.', example: 'worker' })
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  readonly agentId!: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_TASKS,
    default: 1,
    description: 'Tasks that the worker takes at once.',
    example: 1,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TASKS)
  readonly max?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_WAIT_MS,
    default: 0,
    description: 'Milliseconds to wait for a task when there is none; 0 answers at once.',
    example: 0,
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_MS)
  readonly waitMs?: number;
}

/** A task that was leased to the worker that polled. */
export class TaskDto {
  @ApiProperty({
    description: 'Opens this lease of this task and nothing else. Answers the task once.',
    example: 'Q5b8nTn2d0JkWw1hVbXk0aYq3m0Y8fE6Zr2uJ9cLx4o',
  })
  readonly token!: string;

  @ApiProperty({ example: 'tsk_019b6f3c2a4d7c31a2b3c4d5e6f70819' })
  readonly id!: string;

  @ApiProperty({ description: "The agent's key.", example: 'worker' })
  readonly agent!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What the step gave; any JSON.',
    example: { text: 'Guten Tag' },
  })
  readonly input!: Json;

  @ApiProperty({
    description: 'The same each time that this work is handed out, also in a later attempt: pass it on.',
    example: 'run_019b6f3c2a4d7c31a2b3c4d5e6f70819:translate:0',
  })
  readonly idempotencyKey!: string;

  @ApiProperty({ type: 'integer', description: 'The attempt of the step.', example: 1 })
  readonly attempt!: number;

  @ApiProperty({
    type: 'integer',
    description: 'How often it was handed out, this time included.',
    example: 1,
  })
  readonly delivery!: number;

  @ApiProperty(DEADLINE)
  readonly deadline!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Milliseconds that a lease holds without a heartbeat.',
    example: 60_000,
  })
  readonly heartbeatTimeoutMs!: number;

  @ApiPropertyOptional({ description: 'Absent when the agent was called outside a run.' })
  readonly runId?: string;

  @ApiPropertyOptional()
  readonly stepId?: string;
}

/** How far a worker is. */
export class TaskProgressDto {
  @ApiPropertyOptional({ minimum: 0, maximum: 100, example: 40 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(100)
  readonly percent?: number;

  @ApiPropertyOptional({ maxLength: 500, example: 'page 4 of 10' })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly message?: string;
}

/** The body of `POST /tasks/:token/heartbeat`; it may be left out. */
export class HeartbeatDto {
  @ApiPropertyOptional({ type: TaskProgressDto, description: 'Shown to whoever follows the run.' })
  @IsOptional()
  @Nested(() => TaskProgressDto)
  readonly progress?: TaskProgressDto;
}

/** The answer to a heartbeat. */
export class HeartbeatAnswerDto {
  @ApiProperty({ description: 'True: nobody wants the task done any more; drop it.', example: false })
  readonly cancelled!: boolean;

  @ApiPropertyOptional({ ...DEADLINE, description: 'When the next heartbeat must have come.' })
  readonly deadline?: string;
}

/** The body of `POST /tasks/:token/complete`. */
export class CompleteTaskDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The output of the agent; any JSON.',
    example: exampleOutput,
  })
  @RawJson()
  readonly output!: Json;
}

/** Why a worker could not do a task. */
export class TaskFailureDto {
  @ApiProperty({
    pattern: '^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)+$',
    description: 'Stable, for `nonRetryableErrors` of a retry policy and for conditions.',
    example: 'translator.overloaded',
  })
  @MaxLength(100)
  @Matches(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/, {
    message: 'code must be words divided by dots, such as translator.overloaded',
  })
  readonly code!: string;

  @ApiProperty({ description: 'For people.', maxLength: 2_000, example: 'The translator has no place left' })
  @IsString()
  @MaxLength(2_000)
  readonly message!: string;

  @ApiPropertyOptional({
    default: false,
    description: 'Whether another attempt may succeed; the retry policy of the step decides.',
    example: true,
  })
  @IsOptional()
  @IsBoolean()
  readonly retryable?: boolean;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_RETRY_AFTER_MS,
    description: 'The least delay before the next attempt, in milliseconds.',
    example: 1_000,
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_RETRY_AFTER_MS)
  readonly retryAfterMs?: number;
}

/** The body of `POST /tasks/:token/fail`. */
export class FailTaskDto {
  @ApiProperty({ type: TaskFailureDto })
  @IsDefined({ message: 'failure must be an object with code and message' })
  @Nested(() => TaskFailureDto)
  readonly failure!: TaskFailureDto;
}

/** The answer to a task's end. */
export class TaskEndDto {
  @ApiProperty({ enum: ['completed', 'failed'], example: 'completed' })
  readonly status!: 'completed' | 'failed';
}
