/**
 * Agents: a key, and a row of immutable versions of what carries the work out and how.
 *
 * Decided here: what a version of an agent consists of. Decided elsewhere: what settings a kind takes (its provider),
 * how versions are kept (agent.store.ts), which one a call uses (agent.service.ts).
 */
import type { JsonObject } from '../../kernel/json.js';

/** Something that an agent can do, for people and models that choose one. */
export interface Capability {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the input that asks for it. */
  readonly inputSchema?: JsonObject;
  /** JSON Schema of what comes back. */
  readonly outputSchema?: JsonObject;
}

/** How much of an agent there is, for everything that calls it together. What is absent is not limited. */
export interface AgentLimits {
  /** Calls at the same time. */
  readonly maxConcurrency?: number;
  readonly requestsPerMinute?: number;
  /** Input and output together: reserved by estimate, settled by usage. */
  readonly tokensPerMinute?: number;
}

/** Everything that a version of an agent keeps. */
export interface AgentBody {
  /** Names the provider that does the work. */
  readonly kind: string;
  /** For people; the key where there is none. */
  readonly name?: string;
  readonly description: string;
  readonly capabilities: readonly Capability[];
  /** What the provider needs to know; checked by it. */
  readonly settings: JsonObject;
  readonly limits: AgentLimits;
  /** JSON Schema that an input must satisfy before the agent is called. */
  readonly inputSchema?: JsonObject;
  /** JSON Schema that an output must satisfy to count as one. */
  readonly outputSchema?: JsonObject;
  readonly tags: readonly string[];
}
