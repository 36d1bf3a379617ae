import { Injectable } from '@nestjs/common';

import { AgentService, type Agent } from '../agents/agent.service.js';
import { agentErrors } from '../agents/agent.errors.js';
import { AppError, type Failure, type Issue } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { WorkerPool } from '../platform/lifecycle/worker-pool.js';
import { templateErrors } from '../templates/domain/template.errors.js';
import type { PinnedTemplate } from '../templates/domain/pinned.js';
import { TemplateRenderService } from '../templates/template-render.service.js';
import { definitionCheck, isLarge, schemasOf } from './definition-check.js';
import { definitionErrors } from './domain/definition.errors.js';
import type { StepDefinition, WorkflowDefinition } from './domain/definition.schema.js';
import { compileDefinition, type Graph } from './domain/graph.js';
import { withTemplates, type StepTemplates } from './domain/step-templates.js';
import { shapeOf, type DefinitionShape } from './domain/shape.js';

type AgentReference = StepDefinition['agent'];

/** How long checking one definition may take. */
const CHECK_TIMEOUT_MS = 5_000;

/** A definition that may run, with everything it refers to. */
export interface CheckedDefinition {
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
  /** The agents that its steps call, by key. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** The templates that its steps take their input from, by the id of the step. */
  readonly templates: StepTemplates;
}

/** The answer to "is this a definition that may run?". */
export interface WorkflowValidation {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  readonly plan?: DefinitionShape;
}

/** Checks definitions: their own shape, and everything they refer to. */
@Injectable()
export class WorkflowService {
  constructor(
    private readonly agents: AgentService,
    private readonly templates: TemplateRenderService,
    private readonly schemas: JsonSchemaService,
    private readonly pool: WorkerPool,
    private readonly config: EngineConfig,
  ) {}

  /**
   * Every problem of a definition at once, with pointers from its root; or the definition, compiled.
   *
   * A large one is checked on another thread first, within limits, so that a bad one never holds up the main loop.
   *
   * @throws AppError `check.limit-exceeded`
   */
  async check(namespace: string, json: unknown): Promise<Result<CheckedDefinition, readonly Issue[]>> {
    if (isLarge(json)) {
      const { maxSteps } = this.config;
      const issues = await this.pool.run(
        definitionCheck,
        { definition: json as Json, maxSteps },
        CHECK_TIMEOUT_MS,
      );
      if (issues.length > 0) return fail(issues);
    }
    return this.compile(namespace, json);
  }

  private async compile(
    namespace: string,
    json: unknown,
  ): Promise<Result<CheckedDefinition, readonly Issue[]>> {
    const compiled = compileDefinition(json, { maxSteps: this.config.maxSteps });
    if (!compiled.ok) return compiled;
    const { definition, graph } = compiled.value;
    const { templates, issues: templateIssues } = await this.resolveTemplates(namespace, graph);
    const resolved = withTemplates(graph, templates, this.templates.check);
    const issues = [
      ...this.agentIssues(graph),
      ...this.schemaIssues(definition),
      ...templateIssues,
      ...(resolved.ok ? [] : resolved.failure),
    ];
    if (!resolved.ok || issues.length > 0) return fail(issues);
    return ok({ definition, graph: resolved.value, agents: this.agentsOf(graph), templates });
  }

  /** Every problem of a definition, with pointers from `pointer` on, or what it comes to. */
  async validate(namespace: string, json: unknown, pointer: string): Promise<WorkflowValidation> {
    const checked = await this.check(namespace, json);
    if (!checked.ok) return { valid: false, issues: at(pointer, checked.failure) };
    return { valid: true, issues: [], plan: shapeOf(checked.value.graph) };
  }

  /**
   * The definition, compiled.
   *
   * @param pointer where the definition stands in the request, put before the pointer of each issue
   * @throws AppError `definition.invalid` with every problem
   */
  async require(namespace: string, json: unknown, pointer: string): Promise<CheckedDefinition> {
    const checked = await this.check(namespace, json);
    if (checked.ok) return checked.value;
    const issues = at(pointer, checked.failure);
    const count = issues.length === 1 ? '1 problem' : `${String(issues.length)} problems`;
    throw AppError.of(definitionErrors['definition.invalid'], `the definition has ${count}`, { issues });
  }

  /** Checks a run's input against the definition's schema. @throws AppError `input.invalid` with every problem */
  requireInput({ definition: { inputSchema } }: CheckedDefinition, input: Json, pointer: string): void {
    if (inputSchema === undefined) return;
    const found = this.schemas.validate(inputSchema, input);
    if (found.length === 0) return;
    const message = 'the input does not satisfy the inputSchema';
    throw AppError.of(definitionErrors['input.invalid'], message, { issues: at(pointer, found) });
  }

  private agentsOf(graph: Graph): ReadonlyMap<string, Agent> {
    const keys = new Set(graph.steps.map(({ agentKey }) => agentKey));
    return new Map([...keys].map((key) => [key, this.agents.get(key)]));
  }

  /** The version that each step's template means now, and the steps that mean none. */
  private async resolveTemplates(
    namespace: string,
    { steps }: Graph,
  ): Promise<{ readonly templates: StepTemplates; readonly issues: readonly Issue[] }> {
    const templates: [string, PinnedTemplate][] = [];
    const issues: Issue[] = [];
    for (const { id: stepId, index, definition } of steps) {
      const { template } = definition;
      if (template === undefined) continue;
      const { id, name = '', variables: _, ...selector } = template;
      try {
        templates.push([stepId, await this.templates.pin(namespace, id ?? name, selector)]);
      } catch (error) {
        if (!AppError.is(error) || !(error.failure.code in templateErrors)) throw error;
        issues.push(templateIssue(error.failure, `/steps/${String(index)}/template`, template));
      }
    }
    return { templates: Object.fromEntries(templates), issues };
  }

  private agentIssues(graph: Graph): readonly Issue[] {
    return graph.steps.flatMap(({ index, agentKey, definition }) => {
      const message = this.agentProblem(agentKey, definition.agent);
      const code = agentErrors['agent.not-found'].code;
      return message === undefined ? [] : [{ pointer: `/steps/${index}/agent`, code, message }];
    });
  }

  /** Built-in agents have one version, which `latest` names. */
  private agentProblem(key: string, reference: AgentReference): string | undefined {
    const agent = this.agents.find(key);
    if (agent === undefined) return `there is no agent "${key}"`;
    if (typeof reference === 'string') return undefined;
    const { version, label } = reference;
    if (version !== undefined && version !== agent.version) return `agent "${key}" has no version ${version}`;
    if (label !== undefined && label !== 'latest') return `agent "${key}" has no label "${label}"`;
    return undefined;
  }

  private schemaIssues(definition: WorkflowDefinition): readonly Issue[] {
    return schemasOf(definition).flatMap(({ pointer, schema }) =>
      this.schemas.problems(schema).map((message) => ({ pointer, code: 'schema.invalid', message })),
    );
  }
}

/** The field of a step's template that a failure is about. */
function templateIssue(
  { code, message }: Failure,
  pointer: string,
  { id }: { readonly id?: string | undefined },
): Issue {
  switch (code) {
    case templateErrors['template.not-found'].code:
      return { pointer: `${pointer}/${id === undefined ? 'name' : 'id'}`, code, message };
    case templateErrors['template.label-not-found'].code:
      return { pointer: `${pointer}/label`, code, message };
    case templateErrors['template.version-not-found'].code:
      return { pointer: `${pointer}/version`, code, message };
    default:
      return { pointer, code, message };
  }
}

/** Issues of a part, with pointers from the whole. */
function at(pointer: string, issues: readonly Issue[]): readonly Issue[] {
  return issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` }));
}
