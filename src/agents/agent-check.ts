import { Injectable } from '@nestjs/common';

import { AppError, type Issue } from '../kernel/failure.js';
import { pointerOf, type JsonObject } from '../kernel/json.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { agentErrors } from './agent.errors.js';
import type { AgentBody } from './domain/agent.js';
import { ProviderRegistry } from './provider.registry.js';

/** Checks what an agent consists of: its settings by its provider, its schemas. */
@Injectable()
export class AgentCheck {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly schemas: JsonSchemaService,
  ) {}

  /** @throws AppError `agent.invalid` with every problem, with pointers from the root of the agent */
  require(body: AgentBody): void {
    const issues = [...this.kindIssues(body), ...this.schemaIssues(body)];
    if (issues.length === 0) return;
    const count = issues.length === 1 ? '1 problem' : `${String(issues.length)} problems`;
    throw AppError.of(agentErrors['agent.invalid'], `the agent has ${count}`, { issues });
  }

  private kindIssues({ kind, settings }: AgentBody): readonly Issue[] {
    const found = this.providers.find(kind);
    if (found !== undefined) {
      return found.provider
        .check(settings)
        .map((issue) => ({ ...issue, pointer: `/settings${issue.pointer}` }));
    }
    const kinds = this.providers.list().map((one) => one.kind);
    const message = `there is no kind "${kind}"; expected one of ${kinds.join(', ')}`;
    return [{ pointer: '/kind', code: 'field.invalid', message }];
  }

  private schemaIssues({ inputSchema, outputSchema, capabilities }: AgentBody): readonly Issue[] {
    const ofCapabilities = capabilities.flatMap((capability, index) => [
      ...this.problemsOf(capability.inputSchema, ['capabilities', index, 'inputSchema']),
      ...this.problemsOf(capability.outputSchema, ['capabilities', index, 'outputSchema']),
    ]);
    return [
      ...this.problemsOf(inputSchema, ['inputSchema']),
      ...this.problemsOf(outputSchema, ['outputSchema']),
      ...ofCapabilities,
    ];
  }

  private problemsOf(schema: JsonObject | undefined, path: readonly (string | number)[]): readonly Issue[] {
    if (schema === undefined) return [];
    const pointer = pointerOf(path);
    return this.schemas.problems(schema).map((message) => ({ pointer, code: 'schema.invalid', message }));
  }
}
