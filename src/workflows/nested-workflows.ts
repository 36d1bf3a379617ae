/**
 * Finding what the `workflow` steps of a definition mean, and what that needs in turn.
 *
 * Decided here: each version is checked once, however often it is referred to, so a workflow that runs itself comes to
 * an end; how many there may be. Decided elsewhere: what a check is (workflow.service.ts), how deep runs may nest
 * while they execute (runs/domain/sub-run.ts).
 */
import { AppError, type Failure, type Issue } from '../kernel/failure.js';
import { fail, ok, type Result } from '../kernel/result.js';
import type { DefinitionReference } from './domain/definition-references.js';
import { definitionErrors } from './domain/definition.errors.js';
import { keyOf, type PinnedWorkflow } from './domain/pinned-workflow.js';
import { workflowErrors } from './domain/workflow.errors.js';
import type { WorkflowPin } from './domain/workflow.js';
import type { FoundWorkflow } from './workflow-source.js';

/** How many versions of workflows one definition runs at most, itself and by others, and how long they may be as JSON. */
const MAX_WORKFLOWS = 100;
const MAX_LENGTH = 8 * 1024 * 1024;

/** A version once it was checked, or what is wrong with it; `open` while that is found out. */
type Known = PinnedWorkflow | readonly Issue[] | 'open';

/** Where versions come from, and how one is checked. */
export interface NestedSource {
  /** @throws AppError `workflow.not-found`, `workflow.version-not-found`, `workflow.label-not-found` */
  find(reference: DefinitionReference): Promise<FoundWorkflow>;
  check(found: FoundWorkflow, nested: NestedWorkflows): Promise<Result<PinnedWorkflow, readonly Issue[]>>;
}

export class NestedWorkflows {
  private readonly known = new Map<string, Known>();
  private length = 0;

  constructor(private readonly source: NestedSource) {}

  /** Every version that was found good, by its key. */
  get pinned(): Readonly<Record<string, PinnedWorkflow>> {
    const good = [...this.known].filter((entry): entry is [string, PinnedWorkflow] => isPinned(entry[1]));
    return Object.fromEntries(good);
  }

  /** The version that a reference means, or why it can not be run, at its place in the definition. */
  async pin(reference: DefinitionReference): Promise<Result<WorkflowPin, Issue>> {
    const found = await this.find(reference);
    if (!found.ok) return found;
    const { head, version } = found.value;
    const pin = { id: head.id, version };
    const known = this.known.get(keyOf(pin)) ?? (await this.check(found.value, keyOf(pin)));
    if (known === 'open' || isPinned(known)) return ok(pin);
    return fail({ pointer: reference.pointer, ...describe(`"${head.name}" version ${version}`, known) });
  }

  private async find(reference: DefinitionReference): Promise<Result<FoundWorkflow, Issue>> {
    try {
      return ok(await this.source.find(reference));
    } catch (error) {
      if (!AppError.is(error) || !(error.failure.code in workflowErrors)) throw error;
      return fail(issueOf(error.failure, reference));
    }
  }

  private async check(found: FoundWorkflow, key: string): Promise<Known> {
    this.length += JSON.stringify(found.content.body).length;
    if (this.known.size >= MAX_WORKFLOWS || this.length > MAX_LENGTH) return [tooMany()];
    this.known.set(key, 'open');
    const checked = await this.source.check(found, this);
    const known = checked.ok ? checked.value : checked.failure;
    this.known.set(key, known);
    return known;
  }
}

function isPinned(known: Known): known is PinnedWorkflow {
  return typeof known === 'object' && 'definition' in known;
}

/** The field of a reference that a failure is about. */
function issueOf({ code, message }: Failure, { pointer, targetField }: DefinitionReference): Issue {
  switch (code) {
    case workflowErrors['workflow.label-not-found'].code:
      return { pointer: `${pointer}/label`, code, message };
    case workflowErrors['workflow.version-not-found'].code:
      return { pointer: `${pointer}/version`, code, message };
    default:
      return { pointer: `${pointer}/${targetField}`, code, message };
  }
}

/** What is wrong with a version, told where it is referred to. */
function describe(name: string, issues: readonly Issue[]): Pick<Issue, 'code' | 'message'> {
  const [first, ...others] = issues;
  if (first?.code === definitionErrors['definition.too-many-workflows'].code) return first;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  const message = `${name} can not run: ${first?.message ?? ''} (at ${first?.pointer ?? ''}${more})`;
  return { code: definitionErrors['definition.invalid'].code, message };
}

function tooMany(): Issue {
  const message = `a definition runs at most ${MAX_WORKFLOWS} versions of workflows, those that these run included, and ${MAX_LENGTH} characters of them`;
  return { pointer: '', code: definitionErrors['definition.too-many-workflows'].code, message };
}
