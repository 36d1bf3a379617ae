/**
 * Agents: a key, and a row of immutable versions of what carries the work out and how.
 *
 * Decided here: what a version of an agent consists of. Decided elsewhere: what settings a kind takes (its provider),
 * how versions are kept (agent.store.ts), which one a call uses (agent.service.ts).
 */
import type { JsonObject } from '../../kernel/json.js';
import type { Authorship, LabelMark } from '../../kernel/versions.js';

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

/** One version of an agent, ready to be shown or called. */
export interface Agent extends AgentBody {
  /** The key of a built-in agent, which has no other. */
  readonly id: string;
  /** Unique slug in the namespace, never changed; what steps name. */
  readonly key: string;
  readonly version: number;
  /** The label that led to the version. */
  readonly label?: string;
  /** The number of the latest version. */
  readonly latest: number;
  /** By name; `latest` is not among them. */
  readonly labels: readonly LabelMark[];
  /** Comes with the service: it can be neither changed nor deleted. */
  readonly isBuiltIn: boolean;
  /** Set by hand: it is not called until it is taken back. */
  readonly isOffline: boolean;
  /** Who made the version, why and when; absent for a built-in agent. */
  readonly made?: Authorship;
}

/** Names a version of an agent, as a run remembers it. */
export interface AgentPin {
  /** The id or the key. */
  readonly reference: string;
  readonly version: number;
}

/** The version of an agent that a run calls, as its log keeps it. */
export interface PinnedAgent {
  /** Absent for an agent that comes with the service. */
  readonly id?: string;
  readonly kind: string;
  readonly version: number;
}

/** What is kept of agents, by reference. */
export function pinsOf(agents: ReadonlyMap<string, Agent>): { readonly [reference: string]: PinnedAgent } {
  return Object.fromEntries([...agents].map(([reference, agent]) => [reference, pinnedOf(agent)]));
}

function pinnedOf({ id, kind, version, isBuiltIn }: Agent): PinnedAgent {
  return isBuiltIn ? { kind, version } : { id, kind, version };
}

/** A slug. What looks like an id is no key, and `kinds` is a route. */
export const AGENT_KEY = /^(?!agt_|kinds$)[a-z0-9][a-z0-9._-]{0,99}$/;
