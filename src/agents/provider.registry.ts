import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';

import { AgentProvider } from './agent.provider.js';
import { PROVIDER_METADATA, type BuiltInAgent, type ProviderOptions } from './provider.decorator.js';

/** A provider as it was found. */
export interface RegisteredProvider {
  readonly kind: string;
  readonly description: string;
  readonly provider: AgentProvider;
  readonly agents: readonly BuiltInAgent[];
}

/**
 * Every AgentProvider of the application, by kind.
 *
 * Walks the Nest providers once at start and keeps those that carry `@Provider`; two of one kind, a class that does
 * not extend AgentProvider, or a built-in agent with bad settings stop the start with a message that says which.
 */
@Injectable()
export class ProviderRegistry implements OnModuleInit {
  private readonly byKind = new Map<string, RegisteredProvider>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function') continue;
      const options = this.reflector.get<ProviderOptions | undefined>(PROVIDER_METADATA, metatype);
      if (options !== undefined) this.register(options, instance, metatype.name);
    }
  }

  /** The provider of a kind, or undefined. */
  find(kind: string): RegisteredProvider | undefined {
    return this.byKind.get(kind);
  }

  /** All providers, in the order in which they were found. */
  list(): readonly RegisteredProvider[] {
    return [...this.byKind.values()];
  }

  private register(options: ProviderOptions, instance: unknown, className: string): void {
    const { kind, description } = options;
    if (!(instance instanceof AgentProvider)) {
      throw new TypeError(
        `${className} is marked @Provider({ kind: '${kind}' }) but does not extend AgentProvider`,
      );
    }
    const known = this.byKind.get(kind);
    if (known?.provider === instance) return;
    if (known !== undefined) {
      throw new TypeError(
        `two providers of kind "${kind}": ${known.provider.constructor.name} and ${className}`,
      );
    }
    const agents = [...(options.agents ?? []), ...instance.builtIns()];
    for (const agent of agents) refuseBadSettings(agent, instance, className);
    this.byKind.set(kind, { kind, description, provider: instance, agents });
  }
}

function refuseBadSettings(agent: BuiltInAgent, provider: AgentProvider, className: string): void {
  const [issue] = provider.check(agent.settings);
  if (issue === undefined) return;
  throw new TypeError(`agent "${agent.key}" of ${className}: settings${issue.pointer}: ${issue.message}`);
}
