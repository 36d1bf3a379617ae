import { Injectable, type OnModuleInit } from '@nestjs/common';

import type { Agent } from './domain/agent.js';
import type { BuiltInAgent } from './provider.decorator.js';
import { ProviderRegistry } from './provider.registry.js';

/** The agents that come with a provider. They exist in every namespace and have one version per release. */
@Injectable()
export class BuiltInAgents implements OnModuleInit {
  private readonly agents = new Map<string, Agent>();

  constructor(private readonly providers: ProviderRegistry) {}

  onModuleInit(): void {
    this.providers.onModuleInit();
    for (const { kind, agents } of this.providers.list()) {
      for (const agent of agents) {
        if (this.agents.has(agent.key))
          throw new TypeError(`two built-in agents have the key "${agent.key}"`);
        this.agents.set(agent.key, builtIn(kind, agent));
      }
    }
  }

  /** Agents by key. */
  list(): readonly Agent[] {
    return [...this.agents.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The agent of a key, or undefined. */
  find(key: string): Agent | undefined {
    return this.agents.get(key);
  }
}

function builtIn(kind: string, { key, ...given }: BuiltInAgent): Agent {
  return {
    ...{ id: key, key, kind, version: 1, latest: 1, labels: [], isBuiltIn: true, isOffline: false },
    ...{ capabilities: [], limits: {}, tags: [] },
    ...given,
  };
}
