import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { LATEST, type VersionSelector } from '../kernel/versions.js';
import { TemplateConfig } from '../platform/config/app.config.js';
import { HotStore } from '../platform/ports/hot.store.js';
import { ResourceSource, type FoundResource } from '../platform/versions/resource-source.js';
import { agentErrors } from './agent.errors.js';
import { AgentStore } from './agent.store.js';
import { BuiltInAgents } from './built-in-agents.js';
import type { Agent, AgentBody } from './domain/agent.js';

/** Reads agents, built-in ones first, stored ones through the cache. */
@Injectable()
export class AgentSource {
  readonly stored: ResourceSource<AgentBody>;

  constructor(
    private readonly builtIn: BuiltInAgents,
    store: AgentStore,
    hot: HotStore,
    { cacheTtlMs }: TemplateConfig,
  ) {
    this.stored = new ResourceSource(
      {
        noun: 'agent',
        idPrefix: 'agt',
        errors: {
          notFound: agentErrors['agent.not-found'],
          versionNotFound: agentErrors['agent.version-not-found'],
          labelNotFound: agentErrors['agent.label-not-found'],
        },
      },
      { store, hot, ttlMs: cacheTtlMs },
    );
  }

  /**
   * The version of an agent that a selector means, by id or key.
   *
   * @throws AppError `agent.not-found`, `agent.version-not-found`, `agent.label-not-found`
   */
  async get(namespace: string, reference: string, selector: VersionSelector): Promise<Agent> {
    const builtIn = this.builtIn.find(reference);
    if (builtIn !== undefined) return onlyVersion(builtIn, selector);
    return agentOf(await this.stored.get(namespace, reference, selector));
  }
}

/** A stored agent at one of its versions. */
export function agentOf({ head, version, label, content }: FoundResource<AgentBody>): Agent {
  const { body, author, changeNote, createdAt } = content;
  const { id, name: key, latest, labels, status } = head;
  return {
    ...body,
    ...{ id, key, version, latest, labels, isBuiltIn: false, isOffline: status === 'offline' },
    ...(label !== undefined && { label }),
    made: { author, ...(changeNote !== undefined && { changeNote }), createdAt },
  };
}

function onlyVersion(agent: Agent, { version, label }: VersionSelector): Agent {
  if (version !== undefined && version !== agent.version) {
    const message = `${agent.key} comes with the service and has one version, not a version ${String(version)}`;
    throw AppError.of(agentErrors['agent.version-not-found'], message);
  }
  if (label !== undefined && label !== LATEST) {
    const message = `${agent.key} comes with the service and has no label but "${LATEST}", not "${label}"`;
    throw AppError.of(agentErrors['agent.label-not-found'], message);
  }
  return version === undefined ? { ...agent, label: LATEST } : agent;
}
