import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import { decodeCursor, encodeCursor, type Page, type PageRequest } from '../kernel/page.js';
import type { Revision, VersionSelector } from '../kernel/versions.js';
import type { Facets, ResourceHead } from '../platform/ports/versioned.store.js';
import { AgentSource } from './agent-source.js';
import { agentErrors } from './agent.errors.js';
import type { AgentProvider } from './agent.provider.js';
import { AgentStore } from './agent.store.js';
import { BuiltInAgents } from './built-in-agents.js';
import type { Agent, AgentPin } from './domain/agent.js';
import { ProviderRegistry } from './provider.registry.js';

/** What it takes to call an agent. */
export interface CallableAgent {
  readonly agent: Agent;
  readonly provider: AgentProvider;
}

/** A kind of agents: what carries their work out. */
export interface AgentKind {
  readonly kind: string;
  readonly description: string;
  /** JSON Schema of the settings. */
  readonly settingsSchema: JsonObject;
  /** The keys of the agents that come with it. */
  readonly agents: readonly string[];
}

/** Conditions of a list; all that are given must hold. */
export interface AgentFilter {
  readonly kind?: string;
  readonly tag?: string;
  readonly capability?: string;
  readonly search?: string;
}

/** Begins the cursor of a page that ends within the stored agents. */
const STORED = 's';

/** Agents: those that come with the service, and those that were registered. */
@Injectable()
export class AgentService {
  constructor(
    private readonly source: AgentSource,
    private readonly store: AgentStore,
    private readonly builtIn: BuiltInAgents,
    private readonly providers: ProviderRegistry,
  ) {}

  /** Every kind, by name. */
  kinds(): readonly AgentKind[] {
    return this.providers
      .list()
      .map(({ kind, description, provider, agents }) => ({
        ...{ kind, description, settingsSchema: provider.settingsSchema() },
        agents: agents.map(({ key }) => key),
      }))
      .toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  }

  /** Built-in agents by key, then the stored ones, newest first, each as its latest version is. */
  async list(namespace: string, filter: AgentFilter, { limit, cursor }: PageRequest): Promise<Page<Agent>> {
    const after = cursor === undefined ? '' : (decodeCursor(cursor) ?? STORED);
    if (after.startsWith(STORED)) {
      const next = after.slice(STORED.length);
      return this.listStored(namespace, filter, { limit, ...(next !== '' && { cursor: next }) });
    }
    const builtIn = this.builtIn
      .list()
      .filter((agent) => agent.key > after.slice(1) && matches(agent, filter));
    const items = builtIn.slice(0, limit);
    const last = items.at(-1);
    if (builtIn.length > limit && last !== undefined) {
      return { items, nextCursor: encodeCursor(`b${last.key}`) };
    }
    if (items.length === limit) return { items, nextCursor: encodeCursor(STORED) };
    const stored = await this.listStored(namespace, filter, { limit: limit - items.length });
    return { ...stored, items: [...items, ...stored.items] };
  }

  /**
   * The version of an agent that a selector means, by id or key.
   *
   * @throws AppError `agent.not-found`, `agent.version-not-found`, `agent.label-not-found`
   */
  get(namespace: string, reference: string, selector: VersionSelector = {}): Promise<Agent> {
    return this.source.get(namespace, reference, selector);
  }

  /** Versions of an agent, newest first; a built-in agent has none to list. @throws AppError `agent.not-found` */
  async versions(namespace: string, reference: string, page: PageRequest): Promise<Page<Revision>> {
    if (this.builtIn.find(reference) !== undefined) return { items: [] };
    const head = await this.source.stored.find(namespace, reference);
    if (head === undefined) throw this.source.stored.notFound(reference);
    return this.store.listVersions(namespace, head.id, page);
  }

  /**
   * Exactly the version that was pinned, with the provider that does the work.
   *
   * @throws AppError `agent.not-found`, `agent.version-not-found`, `agent.not-configured` when its kind is gone
   */
  async callable(namespace: string, { reference, version }: AgentPin): Promise<CallableAgent> {
    const agent = await this.source.get(namespace, reference, { version });
    return { agent, provider: this.providerOf(agent) };
  }

  /** The provider of an agent. @throws AppError `agent.not-configured` when this release has none of its kind */
  providerOf({ key, kind }: Agent): AgentProvider {
    const found = this.providers.find(kind);
    if (found !== undefined) return found.provider;
    const message = `agent "${key}" is of the kind "${kind}", which this service does not have`;
    throw AppError.of(agentErrors['agent.not-configured'], message);
  }

  private async listStored(
    namespace: string,
    { search, ...words }: AgentFilter,
    page: PageRequest,
  ): Promise<Page<Agent>> {
    const filter = { facets: { ...words }, ...(search !== undefined && { search }) };
    const { items, nextCursor } = await this.store.list(namespace, filter, page);
    const agents = await Promise.all(items.map((head) => this.latestOf(namespace, head)));
    const listed = { items: agents.flat() };
    return nextCursor === undefined
      ? listed
      : { ...listed, nextCursor: encodeCursor(`${STORED}${nextCursor}`) };
  }

  /** None when it was deleted while it was listed. */
  private async latestOf(namespace: string, { id, latest }: ResourceHead): Promise<readonly Agent[]> {
    try {
      return [await this.source.get(namespace, id, { version: latest })];
    } catch (error) {
      if (AppError.is(error) && error.failure.kind === 'not-found') return [];
      throw error;
    }
  }
}

function matches(agent: Agent, { kind, tag, capability, search = '' }: AgentFilter): boolean {
  const words: Facets = {
    kind: [agent.kind],
    tag: agent.tags,
    capability: agent.capabilities.map(({ name }) => name),
  };
  const has = (facet: string, word: string | undefined): boolean =>
    word === undefined || words[facet]?.includes(word) === true;
  const text = `${agent.key} ${agent.name ?? ''} ${agent.description}`.toLowerCase();
  return (
    has('kind', kind) &&
    has('tag', tag) &&
    has('capability', capability) &&
    text.includes(search.toLowerCase())
  );
}
