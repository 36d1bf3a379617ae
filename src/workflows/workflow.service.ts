import { Injectable } from '@nestjs/common';

import { AgentService } from '../agents/agent.service.js';
import { textOf } from '../agents/domain/agent-reference.js';
import { pinsOf, type Agent } from '../agents/domain/agent.js';
import { agentErrors } from '../agents/agent.errors.js';
import { AppError, type Failure, type Issue } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import type { VersionSelector } from '../kernel/versions.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import { WorkerPool } from '../platform/lifecycle/worker-pool.js';
import { compilePinned, type PinnedTemplate } from '../templates/domain/pinned.js';
import { templateErrors } from '../templates/domain/template.errors.js';
import { TemplateRenderService } from '../templates/template-render.service.js';
import { definitionCheck, isLarge, schemasOf } from './definition-check.js';
import { compileDefinition } from './domain/compile-definition.js';
import { referencesIn, type DefinitionReference } from './domain/definition-references.js';
import { definitionErrors } from './domain/definition.errors.js';
import type { WorkflowDefinition } from './domain/definition.schema.js';
import type { CompiledStep, Graph } from './domain/graph.js';
import { workflowText } from './domain/kinds/workflow.step.js';
import {
  pinnedFor,
  withWorkflows,
  type PinnedWorkflow,
  type PinnedWorkflows,
  type WorkflowPins,
} from './domain/pinned-workflow.js';
import { listUnreachableSteps } from './domain/reachability.js';
import { listRecursions } from './domain/recursion.js';
import { listSchemaWarnings, type StepSchemas } from './domain/schema-flow.js';
import { shapeOf, type DefinitionShape } from './domain/shape.js';
import { withSchemas } from './domain/step-schemas.js';
import { withTemplates, type StepTemplates } from './domain/step-templates.js';
import { missingVariables, unknownVariables } from './domain/step-variables.js';
import type { Warning } from './domain/warning.js';
import type { WorkflowReference } from './domain/workflow-reference.schema.js';
import type { WorkflowPin } from './domain/workflow.js';
import { NestedWorkflows } from './nested-workflows.js';
import { WorkflowSource, type FoundWorkflow } from './workflow-source.js';

/** How long checking one definition may take. */
const CHECK_TIMEOUT_MS = 5_000;

/** A definition that may run, with everything it refers to. */
export interface CheckedDefinition {
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
  /** The versions of agents that its steps call, by reference as they write it. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** The templates that its steps take their input from, by the key of the step. */
  readonly templates: StepTemplates;
  /** The versions of workflows that its steps run, by reference as they write it. */
  readonly workflows: WorkflowPins;
  /** Those versions, and what they run in turn. */
  readonly pinned: PinnedWorkflows;
  /** The stored version that it is; absent when it was sent along. */
  readonly workflow?: WorkflowPin;
}

/** The answer to "is this a definition that may run?". */
export interface WorkflowValidation {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  /** What may be a mistake; found only in a definition without issues. */
  readonly warnings: readonly Warning[];
  readonly plan?: DefinitionShape;
}

/** What the references of a definition mean now, and those that mean nothing. */
interface ResolvedReferences {
  /** By reference as steps write it. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly templates: StepTemplates;
  /** By reference as steps write it. */
  readonly workflows: WorkflowPins;
  readonly issues: readonly Issue[];
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
    private readonly source: WorkflowSource,
  ) {}

  /**
   * Every problem of a definition at once, with pointers from its root; or the definition, compiled.
   *
   * A large one is checked on another thread first, within limits, so that a bad one never holds up the main loop.
   *
   * @throws AppError `check.limit-exceeded`
   */
  check(namespace: string, json: unknown): Promise<Result<CheckedDefinition, readonly Issue[]>> {
    return this.checkWith(this.nestedIn(namespace), namespace, json);
  }

  /** The same of one definition among those that run each other. */
  private async checkWith(
    nested: NestedWorkflows,
    namespace: string,
    json: unknown,
  ): Promise<Result<CheckedDefinition, readonly Issue[]>> {
    const resolve = (): Promise<ResolvedReferences> => this.resolve(nested, namespace, json);
    const issues = isLarge(json) ? await this.checkApart(json) : [];
    if (issues.length > 0) return refuse(issues, resolve);
    const compiled = compileDefinition(json, { maxSteps: this.config.maxSteps });
    if (!compiled.ok) return refuse([...compiled.failure, ...this.schemaIssues(json)], resolve);
    const { definition, graph } = compiled.value;
    const { agents, templates, workflows, issues: unresolved } = await resolve();
    const found = [...unresolved, ...this.schemaIssues(json)];
    const resolved = withTemplates(graph, templates, this.templates.check);
    if (!resolved.ok) return fail([...found, ...resolved.failure]);
    if (found.length > 0) return fail(found);
    const { pinned } = nested;
    const whole = withWorkflows(resolved.value, { workflows, pinned }, this.templates.check);
    const checked = withSchemas(whole, definition, this.templates.check);
    return ok({ definition, graph: checked, agents, templates, workflows, pinned });
  }

  private nestedIn(namespace: string): NestedWorkflows {
    return new NestedWorkflows({
      find: (reference) => this.source.get(namespace, reference.target, selectorOf(reference)),
      check: (found, nested) => this.checkNested(nested, namespace, found),
    });
  }

  private async checkNested(
    nested: NestedWorkflows,
    namespace: string,
    { head, version, content }: FoundWorkflow,
  ): Promise<Result<PinnedWorkflow, readonly Issue[]>> {
    const checked = await this.checkWith(nested, namespace, content.body.definition);
    if (!checked.ok) return checked;
    const { definition, agents, templates, workflows } = checked.value;
    return ok({ id: head.id, version, definition, agents: pinsOf(agents), templates, workflows });
  }

  private checkApart(json: unknown): Promise<readonly Issue[]> {
    const { maxSteps } = this.config;
    return this.pool.run(definitionCheck, { definition: json as Json, maxSteps }, CHECK_TIMEOUT_MS);
  }

  /** Every problem of a definition, with pointers from `pointer` on, or what it comes to. */
  async validate(namespace: string, json: unknown, pointer: string): Promise<WorkflowValidation> {
    const checked = await this.check(namespace, json);
    if (!checked.ok) return { valid: false, issues: at(pointer, checked.failure), warnings: [] };
    const warnings = at(pointer, this.warningsOf(checked.value));
    return { valid: true, issues: [], warnings, plan: shapeOf(checked.value.graph) };
  }

  /** What may be a mistake in a definition that may run, with pointers from its root. */
  warningsOf(checked: CheckedDefinition): readonly Warning[] {
    const { definition, graph, templates, workflows, pinned } = checked;
    const references = referencesIn(definition);
    return [
      ...listUnreachableSteps(graph),
      ...listRecursions({
        ...(definition.name !== undefined && { name: definition.name }),
        references: references.map((reference) => ({ ...reference, text: textOfWorkflow(reference) })),
        workflows,
        pinned,
      }),
      ...references.flatMap((reference) => {
        const pinned = reference.kind === 'template' ? own(templates, reference.stepKey) : undefined;
        const compiled = pinned && compilePinned(pinned);
        return compiled?.ok === true ? unknownVariables(reference, compiled.value) : [];
      }),
      ...listSchemaWarnings(definition, graph, (step) => stepSchemasOf(step, checked)),
    ];
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

  /**
   * The definition of a stored version, compiled as of now.
   *
   * @param pointer where the reference stands in the request
   * @throws AppError `workflow.not-found`, `workflow.version-not-found`, `workflow.label-not-found`, and
   *   `definition.invalid` when something that it uses is gone
   */
  async requireStored(
    namespace: string,
    { id, name = '', ...selector }: WorkflowReference,
    pointer: string,
  ): Promise<CheckedDefinition> {
    const { head, version, content } = await this.source.get(namespace, id ?? name, selector);
    const checked = await this.require(namespace, content.body.definition, pointer);
    return { ...checked, workflow: { id: head.id, version } };
  }

  /** Checks a run's input against the definition's schema. @throws AppError `input.invalid` with every problem */
  requireInput(
    { definition: { inputSchema } }: Pick<CheckedDefinition, 'definition'>,
    input: Json,
    pointer: string,
  ): void {
    if (inputSchema === undefined) return;
    const found = this.schemas.validate(inputSchema, input);
    if (found.length === 0) return;
    const message = 'the input does not satisfy the inputSchema';
    throw AppError.of(definitionErrors['input.invalid'], message, { issues: at(pointer, found) });
  }

  /** The versions that references of steps mean now, and every reference that means nothing. */
  private async resolve(
    nested: NestedWorkflows,
    namespace: string,
    json: unknown,
  ): Promise<ResolvedReferences> {
    const agents = new Map<string, Agent>();
    const templates: [string, PinnedTemplate][] = [];
    const workflows: [string, WorkflowPin][] = [];
    const issues: Issue[] = [];
    for (const reference of referencesIn(json)) {
      if (reference.kind === 'workflow') {
        const pin = await nested.pin(reference);
        if (!pin.ok) issues.push(pin.failure);
        else workflows.push([textOfWorkflow(reference), pin.value]);
      }
      if (reference.kind === 'agent') {
        const text = textOf({ ...reference, key: reference.target });
        const found = agents.get(text) ?? (await this.findAgent(namespace, reference));
        if ('pointer' in found) issues.push(found);
        else agents.set(text, found);
      }
      if (reference.kind !== 'template') continue;
      const pinned = await this.pin(namespace, reference);
      if (!pinned.ok) issues.push(pinned.failure);
      else {
        templates.push([reference.stepKey, pinned.value]);
        const compiled = compilePinned(pinned.value);
        if (compiled.ok) issues.push(...missingVariables(reference, compiled.value));
      }
    }
    const found = { templates: Object.fromEntries(templates), workflows: Object.fromEntries(workflows) };
    return { agents, ...found, issues };
  }

  private async pin(
    namespace: string,
    reference: DefinitionReference,
  ): Promise<Result<PinnedTemplate, Issue>> {
    try {
      return ok(await this.templates.pin(namespace, reference.target, selectorOf(reference)));
    } catch (error) {
      if (!AppError.is(error) || !(error.failure.code in templateErrors)) throw error;
      return fail(templateIssue(error.failure, reference));
    }
  }

  private async findAgent(namespace: string, reference: DefinitionReference): Promise<Agent | Issue> {
    try {
      return await this.agents.get(namespace, reference.target, selectorOf(reference));
    } catch (error) {
      if (!AppError.is(error) || !(error.failure.code in agentErrors)) throw error;
      return agentIssue(error.failure, reference);
    }
  }

  private schemaIssues(json: unknown): readonly Issue[] {
    return schemasOf(json).flatMap(({ pointer, schema }) =>
      this.schemas.problems(schema).map((message) => ({ pointer, code: 'schema.invalid', message })),
    );
  }
}

/** All that is wrong: with the definition itself, and with what it refers to, unless there is too much of it. */
async function refuse(
  issues: readonly Issue[],
  resolve: () => Promise<ResolvedReferences>,
): Promise<Result<never, readonly Issue[]>> {
  const isTooLarge = issues.some(({ code }) => code === definitionErrors['definition.too-many-steps'].code);
  return fail(isTooLarge ? issues : [...issues, ...(await resolve()).issues]);
}

/** What is known of a step's input and output: by its own schemas, else by those of what it calls. */
function stepSchemasOf(
  { work, inputSchema, outputSchema }: CompiledStep,
  { agents, workflows, pinned }: CheckedDefinition,
): StepSchemas {
  const agent = work.kind === 'agent' ? agents.get(work.agentReference) : undefined;
  const run = work.kind === 'workflow' ? pinnedFor(workflows, pinned, work.reference) : undefined;
  const called = agent ?? run?.definition;
  return { input: inputSchema ?? called?.inputSchema, output: outputSchema ?? called?.outputSchema };
}

function textOfWorkflow(reference: DefinitionReference): string {
  return workflowText({ name: reference.target, ...selectorOf(reference) });
}

function selectorOf({ version, label }: DefinitionReference): VersionSelector {
  return { ...(version !== undefined && { version }), ...(label !== undefined && { label }) };
}

/** The field of a step's reference to an agent that a failure is about. */
function agentIssue({ code, message }: Failure, { pointer, targetField }: DefinitionReference): Issue {
  switch (code) {
    case agentErrors['agent.label-not-found'].code:
      return { pointer: `${pointer}/label`, code, message };
    case agentErrors['agent.version-not-found'].code:
      return { pointer: `${pointer}/version`, code, message };
    default:
      return { pointer: targetField === '' ? pointer : `${pointer}/${targetField}`, code, message };
  }
}

/** The field of a step's template that a failure is about. */
function templateIssue({ code, message }: Failure, { pointer, targetField }: DefinitionReference): Issue {
  switch (code) {
    case templateErrors['template.not-found'].code:
      return { pointer: `${pointer}/${targetField}`, code, message };
    case templateErrors['template.label-not-found'].code:
      return { pointer: `${pointer}/label`, code, message };
    case templateErrors['template.version-not-found'].code:
      return { pointer: `${pointer}/version`, code, message };
    default:
      return { pointer, code, message };
  }
}

function own(templates: StepTemplates, key: string): PinnedTemplate | undefined {
  return Object.hasOwn(templates, key) ? templates[key] : undefined;
}

/** Findings of a part, with pointers from the whole. */
function at<T extends Issue>(pointer: string, issues: readonly T[]): readonly T[] {
  return issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` }));
}
