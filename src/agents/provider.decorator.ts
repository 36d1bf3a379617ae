/** Marks a Nest provider as the AgentProvider of a kind. */
import { SetMetadata, type CustomDecorator } from '@nestjs/common';

import type { JsonObject } from '../kernel/json.js';
import type { Capability } from './domain/agent.js';

/** An agent that exists because its provider does; it can not be deleted. */
export interface BuiltInAgent {
  /** Unique slug in every namespace. */
  readonly key: string;
  readonly description: string;
  readonly settings: JsonObject;
  /** @default none */
  readonly capabilities?: readonly Capability[];
  /** JSON Schema that an input must satisfy before the agent is called. */
  readonly inputSchema?: JsonObject;
  /** JSON Schema that an output must satisfy to count as one. */
  readonly outputSchema?: JsonObject;
}

export interface ProviderOptions {
  /** `echo`, `scripted`, `llm`, …; unique among all providers. */
  readonly kind: string;
  readonly description: string;
  /** Agents that come with the provider. @default none */
  readonly agents?: readonly BuiltInAgent[];
}

export const PROVIDER_METADATA = Symbol.for('ensemble.AgentProvider');

/**
 * Registers a class that extends AgentProvider, wherever in the application it is provided.
 *
 * @example
 * @Provider({ kind: 'shout', description: 'Upper case', agents: [{ key: 'shout', description: '…', settings: {} }] })
 * export class ShoutProvider extends AgentProvider { … }
 */
export function Provider(options: ProviderOptions): CustomDecorator<symbol> {
  return SetMetadata(PROVIDER_METADATA, options);
}
