import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { IdSource } from '../platform/ids/id.source.js';
import type { ResourceHead, ResourceOutline } from '../platform/ports/versioned.store.js';
import { ResourceEditor, type LabelMove, type ResourceEdit } from '../platform/versions/resource-editor.js';
import { AgentCheck } from './agent-check.js';
import { AgentReferences } from './agent-references.js';
import { agentOf, AgentSource } from './agent-source.js';
import { agentErrors } from './agent.errors.js';
import { AgentStore } from './agent.store.js';
import { BuiltInAgents } from './built-in-agents.js';
import type { Agent, AgentBody } from './domain/agent.js';

/** An agent to be made. */
export interface CreateAgent {
  readonly key: string;
  readonly body: AgentBody;
  /** @default a fresh one */
  readonly id?: string;
}

/** Making, changing and deleting agents. Built-in ones stay as they are. */
@Injectable()
export class AgentEditService {
  private readonly editor: ResourceEditor<AgentBody>;

  constructor(
    private readonly builtIn: BuiltInAgents,
    private readonly references: AgentReferences,
    private readonly ids: IdSource,
    store: AgentStore,
    { stored: source }: AgentSource,
    check: AgentCheck,
    clock: Clock,
  ) {
    this.editor = new ResourceEditor(
      { store, source, clock },
      {
        errors: {
          nameTaken: agentErrors['agent.key-taken'],
          labelNotFound: agentErrors['agent.label-not-found'],
          labelReserved: agentErrors['agent.label-reserved'],
          contended: agentErrors['agent.contended'],
        },
        check: async (_, body) => {
          check.require(body);
          return Promise.resolve();
        },
        index: (body) => ({ outline: outlineOf(body) }),
      },
    );
  }

  /** Makes an agent with version 1. @throws AppError `agent.invalid`, `agent.key-taken` */
  async create(edit: Omit<ResourceEdit, 'reference'>, { key, body, id }: CreateAgent): Promise<Agent> {
    if (this.builtIn.find(key) !== undefined) {
      throw AppError.of(agentErrors['agent.key-taken'], `"${key}" is the key of an agent of the service`);
    }
    return agentOf(await this.editor.create(edit, { id: id ?? this.ids.next('agt'), name: key, body }));
  }

  /**
   * Adds a version, unless it would say the same as the latest one, which is then the answer.
   *
   * @param change the new body, from the latest version's
   * @throws AppError `agent.not-found`, `agent.built-in`, `version.stale`, `agent.invalid`, `agent.contended`
   */
  async update(edit: ResourceEdit, change: (latest: AgentBody) => AgentBody): Promise<Agent> {
    this.requireOwn(edit.reference);
    return agentOf(await this.editor.update(edit, change));
  }

  /** Adds a version that says what an earlier one says. @throws AppError as `update`, and `agent.version-not-found` */
  async rollback(edit: ResourceEdit, version: number): Promise<Agent> {
    this.requireOwn(edit.reference);
    return agentOf(await this.editor.rollback(edit, version));
  }

  /** Puts a label on a version. @throws AppError `agent.not-found`, `agent.version-not-found`, `agent.label-reserved`, `agent.built-in` */
  async moveLabel(edit: ResourceEdit, move: LabelMove): Promise<Agent> {
    this.requireOwn(edit.reference);
    return agentOf(await this.editor.moveLabel(edit, move));
  }

  /** Takes a label away. @throws AppError `agent.not-found`, `agent.label-not-found`, `agent.label-reserved`, `agent.built-in` */
  async removeLabel(namespace: string, reference: string, label: string): Promise<void> {
    this.requireOwn(reference);
    await this.editor.removeLabel(namespace, reference, label);
  }

  /** Takes an agent offline or back, for everybody. @throws AppError `agent.not-found`, `agent.built-in` */
  async setOffline(namespace: string, reference: string, isOffline: boolean): Promise<void> {
    this.requireOwn(reference);
    await this.editor.setStatus(namespace, reference, isOffline ? 'offline' : undefined);
  }

  /**
   * Deletes an agent with all its versions. A run that has yet to call it fails there.
   *
   * @param isForced delete it even if something refers to it
   * @throws AppError `agent.not-found`, `agent.built-in`, `agent.in-use` saying by what
   */
  async delete(namespace: string, reference: string, isForced: boolean): Promise<void> {
    this.requireOwn(reference);
    await this.editor.delete(namespace, reference, (head) =>
      isForced ? Promise.resolve() : this.requireUnused(namespace, head),
    );
  }

  private requireOwn(reference: string): void {
    if (this.builtIn.find(reference) === undefined) return;
    const message = `"${reference}" comes with the service and stays as it is. Make an agent of the same kind with settings of your own`;
    throw AppError.of(agentErrors['agent.built-in'], message);
  }

  private async requireUnused(namespace: string, { id, name }: ResourceHead): Promise<void> {
    const references = await this.references.referencesTo(namespace, { id, name });
    if (references.length === 0) return;
    const named = references.map(({ kind, id: by, version }) =>
      version === undefined ? `${kind} ${by}` : `${kind} ${by} version ${String(version)}`,
    );
    throw AppError.of(
      agentErrors['agent.in-use'],
      `"${name}" is used by ${named.join(', ')}. Change them first, or repeat with ?force=true`,
      { details: { references: references.map((one) => ({ ...one })) } },
    );
  }
}

/** What an agent is found by. */
function outlineOf({ name, description, kind, tags, capabilities }: AgentBody): ResourceOutline {
  const capability = [...new Set(capabilities.map((one) => one.name))];
  return {
    ...(name !== undefined && { title: name }),
    description,
    facets: { kind: [kind], tag: tags, capability },
  };
}
