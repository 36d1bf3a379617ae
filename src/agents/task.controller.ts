import { applyDecorators, Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import type { Failure } from '../kernel/failure.js';
import { isoOf } from '../kernel/time.js';
import { authErrors } from '../platform/auth/auth.errors.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ForWorkers } from '../platform/auth/worker-key.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { whileConnected } from '../platform/http/while-connected.js';
import { agentErrors } from './agent.errors.js';
import {
  CompleteTaskDto,
  FailTaskDto,
  HeartbeatAnswerDto,
  HeartbeatDto,
  PollTasksDto,
  TaskDto,
  TaskEndDto,
  type TaskFailureDto,
  type TaskProgressDto,
} from './dto/task.dto.js';
import { EXAMPLE_TOKENS } from './task-examples.js';
import type { HandedTask } from './task-poller.js';
import { taskErrors } from './task.errors.js';
import { TaskService, type TaskProgress } from './task.service.js';

/** What every operation on a leased task says alike. */
function ApiLease(token: string): MethodDecorator {
  return applyDecorators(
    HttpCode(200),
    ForWorkers(),
    ApiParam({ name: 'token', description: 'As it came with the task.', example: token }),
    ApiProblems(
      authErrors['auth.forbidden'],
      taskErrors['task.token-expired'],
      taskErrors['task.token-used'],
    ),
  );
}

/** What workers send is as cheap as reading, and as frequent: it counts as such. */
@ApiTags('Tasks')
@Controller('tasks')
@RateClass('read')
export class TaskController {
  constructor(private readonly tasks: TaskService) {}

  @Post('poll')
  @HttpCode(200)
  @ForWorkers()
  @ApiOperation({
    summary: 'Take tasks of an agent',
    description:
      'For processes that do the work of agents of kind `worker`. Each task is leased to one worker, who must send ' +
      'a heartbeat or an answer before its `deadline`; otherwise another one gets it with another token. With ' +
      '`waitMs` the answer comes as soon as there is a task. API keys may be narrowed to agents: such a key opens ' +
      'these routes only.',
  })
  @ApiOkResponse({ type: [TaskDto], description: 'Leased now; none when there was no task in time.' })
  @ApiProblems(authErrors['auth.forbidden'], agentErrors['agent.not-found'], taskErrors['agent.not-worker'])
  async poll(
    @Body() { agentId, max = 1, waitMs = 0 }: PollTasksDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
  ): Promise<readonly TaskDto[]> {
    const handed = await whileConnected(request, (signal) =>
      this.tasks.poll(principal, { agentId, max, waitMs, signal }),
    );
    return handed.map(taskDtoOf);
  }

  @Post(':token/heartbeat')
  @ApiLease(EXAMPLE_TOKENS.heartbeat)
  @ApiOperation({
    summary: 'Keep a task, and tell how far it is',
    description:
      'The lease then holds for another `heartbeatTimeoutMs`. `cancelled: true` says: drop the task.',
  })
  @ApiOkResponse({ type: HeartbeatAnswerDto })
  async heartbeat(
    @Param('token') token: string,
    @Body() { progress }: HeartbeatDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HeartbeatAnswerDto> {
    const told = await this.tasks.heartbeat(principal, token, progress && progressOf(progress));
    return told.isCancelled ? { cancelled: true } : { cancelled: false, deadline: isoOf(told.leaseUntil) };
  }

  @Post(':token/complete')
  @ApiLease(EXAMPLE_TOKENS.complete)
  @ApiOperation({
    summary: 'Answer a task with its output',
    description: 'The same answer again is answered alike; another one is refused.',
  })
  @ApiOkResponse({ type: TaskEndDto })
  @ApiProblems(taskErrors['task.token-expired'], taskErrors['task.token-used'], taskErrors['task.cancelled'])
  async complete(
    @Param('token') token: string,
    @Body() { output }: CompleteTaskDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TaskEndDto> {
    await this.tasks.complete(principal, token, output);
    return { status: 'completed' };
  }

  @Post(':token/fail')
  @ApiLease(EXAMPLE_TOKENS.fail)
  @ApiOperation({
    summary: 'Say that a task can not be done',
    description: 'The attempt fails with this failure; the retry policy of the step decides what follows.',
  })
  @ApiOkResponse({ type: TaskEndDto })
  @ApiProblems(taskErrors['task.token-expired'], taskErrors['task.token-used'], taskErrors['task.cancelled'])
  async fail(
    @Param('token') token: string,
    @Body() { failure }: FailTaskDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<TaskEndDto> {
    await this.tasks.fail(principal, token, failureOfDto(failure));
    return { status: 'failed' };
  }
}

function taskDtoOf({ task, token }: HandedTask): TaskDto {
  const { id, agentKey: agent, input, idempotencyKey, attempt, heartbeatTimeoutMs, runId, stepId } = task;
  return {
    ...{ token, id, agent, input, idempotencyKey, attempt, heartbeatTimeoutMs },
    delivery: task.deliveries,
    deadline: isoOf(task.leaseUntil ?? 0),
    ...(runId !== undefined && { runId }),
    ...(stepId !== undefined && { stepId }),
  };
}

function progressOf({ percent, message }: TaskProgressDto): TaskProgress {
  return { ...(percent !== undefined && { percent }), ...(message !== undefined && { message }) };
}

function failureOfDto({ code, message, retryable = false, retryAfterMs }: TaskFailureDto): Failure {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { code, kind: 'upstream', message, retryable, ...after };
}
