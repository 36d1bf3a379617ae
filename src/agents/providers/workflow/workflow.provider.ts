import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import type { Issue } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { issuesOf } from '../../domain/issues.js';
import { Provider } from '../../provider.decorator.js';
import { untilAnswered } from '../../until-answered.js';
import { WorkflowInvoker } from '../../workflow.invoker.js';
import { workflowSettingsSchema } from './settings.schema.js';

/** Has the work done by another workflow, as a run of its own. */
@Injectable()
@Provider({ kind: 'workflow', description: 'Another workflow, executed as a run of its own.' })
export class WorkflowProvider extends AgentProvider {
  constructor(private readonly invoker: WorkflowInvoker) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = workflowSettingsSchema.safeParse(settings);
    return parsed.success ? [] : issuesOf(parsed.error.issues, 'field.invalid');
  }

  /** JSON Schema of the settings. */
  settingsSchema(): JsonObject {
    return z.toJSONSchema(workflowSettingsSchema, { io: 'input' }) as unknown as JsonObject;
  }

  override async *invoke(
    { namespace, settings: subject, input, idempotencyKey, failures, runId, path = '' }: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const within =
      runId === undefined
        ? {}
        : { parent: { runId, path }, lineage: `${idempotencyKey} ${String(failures)}` };
    const call = { namespace, subject, input, ...within };
    return untilAnswered(() => this.invoker.invoke(call, signal), { runId, signal });
  }
}
