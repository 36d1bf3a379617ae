import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { AgentService } from './agent.service.js';
import { CallGate } from './call.gate.js';
import type { AgentCondition } from './domain/agent-condition.js';
import type { AgentPin } from './domain/agent.js';
import type { Task } from './domain/task.js';
import { TaskStore } from './task.store.js';

/** Why calls of agents wait or fail now: for whoever asks why nothing happens. Asks no provider. */
@Injectable()
export class AgentConditionReader {
  constructor(
    private readonly agents: AgentService,
    private readonly gate: CallGate,
    private readonly tasks: TaskStore,
    private readonly clock: Clock,
  ) {}

  /** The condition of a version; undefined when there is none of that reference. */
  async find(namespace: string, { reference, version }: AgentPin): Promise<AgentCondition | undefined> {
    try {
      const { id, key, kind, isOffline, limits } = await this.agents.get(namespace, reference, { version });
      const brokenForMs = this.gate.brokenForMs(namespace, id);
      const { maxConcurrency } = limits;
      return {
        ...this.gate.places(namespace, id),
        ...{ key, kind, isOffline },
        ...(brokenForMs !== undefined && { brokenUntil: this.clock.now() + brokenForMs }),
        ...(maxConcurrency !== undefined && { maxConcurrency }),
      };
    } catch (error) {
      if (AppError.is(error) && error.failure.kind === 'not-found') return undefined;
      throw error;
    }
  }

  /** What workers outside have to do for a run, as long as it is open. */
  openTasks(namespace: string, runId: string): Promise<readonly Task[]> {
    return this.tasks.openOf(namespace, runId);
  }
}
