import { Injectable } from '@nestjs/common';

import { AppError, type Issue } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import type { Page, PageRequest } from '../kernel/page.js';
import type { Result } from '../kernel/result.js';
import { LATEST, type Revision, type VersionSelector } from '../kernel/versions.js';
import { Clock } from '../platform/clock/clock.js';
import { IdSource } from '../platform/ids/id.source.js';
import type { ResourceFilter, ResourceHead } from '../platform/ports/versioned.store.js';
import { ResourceEditor, type LabelMove, type ResourceEdit } from '../platform/versions/resource-editor.js';
import { compileDefinition } from './domain/compile-definition.js';
import { diagramOf, type Diagram } from './domain/diagram.js';
import { definitionErrors } from './domain/definition.errors.js';
import { diffDefinitions, type DefinitionDiff } from './domain/definition-diff.js';
import type { Warning } from './domain/warning.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { indexOf, nameOf, renaming, withName, type WorkflowBody } from './domain/workflow.js';
import { WorkflowReferenceChecks } from './reference.check.js';
import { WorkflowSource, type FoundWorkflow } from './workflow-source.js';
import { WorkflowService } from './workflow.service.js';
import { WorkflowStore } from './workflow.store.js';

/** Who asks for a change, of what, and why. */
export type WorkflowEdit = ResourceEdit;

/** Who makes a workflow, and why. */
type Authoring = Omit<WorkflowEdit, 'reference' | 'accepted'>;

/** A workflow to be made. */
export interface CreateWorkflow {
  /** @default the name in the definition */
  readonly name?: string;
  readonly definition: JsonObject;
  readonly tags: readonly string[];
  /** @default a fresh one */
  readonly id?: string;
}

/** What the next version says otherwise than the latest one. */
export interface WorkflowChange {
  readonly definition?: JsonObject;
  readonly tags?: readonly string[];
}

/** A version that was saved, and what may be a mistake in it. */
export interface SavedWorkflow {
  readonly found: FoundWorkflow;
  /** With pointers from the root of the definition. */
  readonly warnings: readonly Warning[];
}

/** What came of an import. */
export interface ImportedWorkflow extends SavedWorkflow {
  readonly isNew: boolean;
}

/** What changed between two versions. */
export interface WorkflowDiff extends DefinitionDiff {
  readonly from: number;
  readonly to: number;
}

/** Stored workflows: writing and reading them. Every version may run when it is saved. */
@Injectable()
export class StoredWorkflowService {
  private readonly editor: ResourceEditor<WorkflowBody>;

  constructor(
    private readonly store: WorkflowStore,
    private readonly source: WorkflowSource,
    private readonly workflows: WorkflowService,
    private readonly references: WorkflowReferenceChecks,
    clock: Clock,
    private readonly ids: IdSource,
  ) {
    const rules = {
      errors: {
        nameTaken: workflowErrors['workflow.name-taken'],
        labelNotFound: workflowErrors['workflow.label-not-found'],
        labelReserved: workflowErrors['workflow.label-reserved'],
        contended: workflowErrors['workflow.contended'],
      },
      // Checked below, where it is known which part of a request the definition is.
      check: () => Promise.resolve(),
      index: indexOf,
    };
    this.editor = new ResourceEditor({ store, source, clock }, rules);
  }

  /** Makes a workflow with version 1. @throws AppError `definition.invalid`, `workflow.name-invalid`, `workflow.name-taken` */
  async create(authoring: Authoring, workflow: CreateWorkflow): Promise<SavedWorkflow> {
    const { namespace } = authoring;
    const { definition, warnings } = await this.check(namespace, workflow.definition, '/definition');
    const given = workflow.name === undefined ? undefined : { name: workflow.name, pointer: '/name' };
    const name = required(nameOf(definition, given, '/definition'));
    const id = workflow.id ?? this.ids.next('wf');
    const body = { definition, tags: workflow.tags };
    return { found: await this.editor.create(authoring, { id, name, body }), warnings };
  }

  /**
   * Adds a version, unless it would say the same as the latest one, which is then the answer.
   *
   * @throws AppError `workflow.not-found`, `version.stale`, `definition.invalid`, `workflow.name-invalid`,
   *   `workflow.contended`
   */
  async update(edit: WorkflowEdit, { definition, tags }: WorkflowChange): Promise<SavedWorkflow> {
    const { head, content } = await this.source.get(edit.namespace, edit.reference, { label: LATEST });
    const checked = await this.check(edit.namespace, definition ?? content.body.definition, '/definition');
    const renamed = renaming(checked.definition, head.name, '/definition');
    if (renamed !== undefined) throw nameInvalid(renamed);
    const found = await this.editor.update(edit, (latest) => ({
      definition: definition === undefined ? latest.definition : checked.definition,
      tags: tags ?? latest.tags,
    }));
    return { found, warnings: checked.warnings };
  }

  /**
   * Makes a workflow of a definition that stands alone, or adds a version to the one of that name.
   *
   * @param name absent: the name in the definition
   * @throws AppError as `create` and `update`; pointers count from the root of the definition
   */
  async import(authoring: Authoring, json: unknown, name?: string): Promise<ImportedWorkflow> {
    const { namespace } = authoring;
    const { definition, warnings } = await this.check(namespace, json, '');
    const given = name === undefined ? undefined : { name, pointer: '' };
    const reference = required(nameOf(definition, given, ''));
    const head = await this.store.find(namespace, { name: reference });
    if (head === undefined) {
      const body = { definition, tags: [] };
      const found = await this.editor.create(authoring, { id: this.ids.next('wf'), name: reference, body });
      return { found, warnings, isNew: true };
    }
    const found = await this.editor.update({ ...authoring, reference }, ({ tags }) => ({ definition, tags }));
    return { found, warnings, isNew: false };
  }

  /** The definition of a version, with the workflow's name in it. @throws AppError as `get` */
  async export(namespace: string, reference: string, selector: VersionSelector): Promise<JsonObject> {
    const { head, content } = await this.source.get(namespace, reference, selector);
    return withName(content.body.definition, head.name);
  }

  /**
   * A version as it is drawn.
   *
   * @throws AppError `workflow.not-found` and its kind; `definition.invalid` for one that this release does not read
   */
  async diagram(namespace: string, reference: string, selector: VersionSelector): Promise<Diagram> {
    const { content } = await this.source.get(namespace, reference, selector);
    const compiled = compileDefinition(content.body.definition, { maxSteps: Number.MAX_SAFE_INTEGER });
    if (compiled.ok) return diagramOf(compiled.value.graph);
    const message = 'the definition of this version is not valid in this release';
    throw AppError.of(definitionErrors['definition.invalid'], message, { issues: compiled.failure });
  }

  /**
   * Adds a version that says what an earlier one says, if that may still run.
   *
   * @throws AppError as `update`, and `workflow.version-not-found`
   */
  async rollback(edit: WorkflowEdit, version: number): Promise<SavedWorkflow> {
    const { content } = await this.source.get(edit.namespace, edit.reference, { version });
    const { warnings } = await this.check(edit.namespace, content.body.definition, '/definition');
    return { found: await this.editor.rollback(edit, version), warnings };
  }

  /** One version. @throws AppError `workflow.not-found`, `workflow.version-not-found`, `workflow.label-not-found` */
  get(namespace: string, reference: string, selector: VersionSelector): Promise<FoundWorkflow> {
    return this.source.get(namespace, reference, selector);
  }

  /** Workflows, newest first, as their latest versions are. */
  list(namespace: string, filter: ResourceFilter, page: PageRequest): Promise<Page<ResourceHead>> {
    return this.store.list(namespace, filter, page);
  }

  /** Versions of a workflow, newest first. @throws AppError `workflow.not-found` */
  async versions(namespace: string, reference: string, page: PageRequest): Promise<Page<Revision>> {
    const head = await this.source.find(namespace, reference);
    if (head === undefined) throw this.source.notFound(reference);
    return this.store.listVersions(namespace, head.id, page);
  }

  /**
   * What changed between two versions.
   *
   * @param range by default the latest version and the one before
   * @throws AppError `workflow.not-found`, `workflow.version-not-found`
   */
  async diff(
    namespace: string,
    reference: string,
    range: { readonly from?: number | undefined; readonly to?: number | undefined },
  ): Promise<WorkflowDiff> {
    const selector = range.to === undefined ? { label: LATEST } : { version: range.to };
    const after = await this.source.get(namespace, reference, selector);
    const from = range.from ?? Math.max(1, after.version - 1);
    const before = await this.source.get(namespace, reference, { version: from });
    const [older, newer] = [before, after].map(({ content }) => content.body.definition as JsonObject);
    return { from, to: after.version, ...diffDefinitions(older ?? {}, newer ?? {}) };
  }

  /**
   * Puts a label on a version that may still run.
   *
   * @throws AppError `workflow.not-found`, `workflow.version-not-found`, `workflow.label-reserved`, `definition.invalid`
   */
  async moveLabel(edit: WorkflowEdit, move: LabelMove): Promise<FoundWorkflow> {
    const { content } = await this.source.get(edit.namespace, edit.reference, { version: move.version });
    await this.check(edit.namespace, content.body.definition, '/definition');
    return this.editor.moveLabel(edit, move);
  }

  /** Takes a label away. @throws AppError `workflow.not-found`, `workflow.label-not-found`, `workflow.label-reserved` */
  removeLabel(namespace: string, reference: string, label: string): Promise<void> {
    return this.editor.removeLabel(namespace, reference, label);
  }

  /**
   * Deletes a workflow with all its versions. Runs of it go on: they carry what they need.
   *
   * @param isForced delete it even if something refers to it
   * @throws AppError `workflow.not-found`, `workflow.in-use` saying by what
   */
  delete(namespace: string, reference: string, isForced: boolean): Promise<void> {
    return this.editor.delete(namespace, reference, async (head) => {
      if (!isForced) await this.requireUnused(namespace, head);
    });
  }

  private async check(
    namespace: string,
    json: unknown,
    pointer: string,
  ): Promise<Pick<WorkflowBody, 'definition'> & Pick<SavedWorkflow, 'warnings'>> {
    const checked = await this.workflows.require(namespace, json, pointer);
    return { definition: checked.definition, warnings: this.workflows.warningsOf(checked) };
  }

  private async requireUnused(namespace: string, { id, name }: ResourceHead): Promise<void> {
    const uses = await this.references.referencesTo(namespace, { id, name });
    if (uses.length === 0) return;
    const named = uses.map((use) =>
      use.version === undefined ? `${use.kind} ${use.id}` : `${use.kind} ${use.id} version ${use.version}`,
    );
    throw AppError.of(
      workflowErrors['workflow.in-use'],
      `"${name}" is used by ${named.join(', ')}. Change them first, or repeat with ?force=true`,
      { details: { references: uses.map((use) => ({ ...use })) } },
    );
  }
}

/** The value, or the refusal of a name. @throws AppError `workflow.name-invalid` */
function required<T>(result: Result<T, Issue>): T {
  if (result.ok) return result.value;
  throw nameInvalid(result.failure);
}

function nameInvalid(issue: Issue): AppError {
  return AppError.of(workflowErrors['workflow.name-invalid'], issue.message, { issues: [issue] });
}
