/**
 * AgentInvoker: how one agent calls another as a tool.
 *
 * Decided here: what a call takes and gives. Decided elsewhere: who may call whom (the settings of the caller), what
 * is recorded of it (the caller's journal). A call passes everything that any other call of the agent passes.
 */
import type { Json, JsonObject } from '../kernel/json.js';
import type { SettledOutcome } from './agent.provider.js';

/** How many agents may call one another, one inside the other. */
export const MAX_AGENT_DEPTH = 3;

/** What an agent looks like to another that may call it. */
export interface InvocableAgent {
  readonly kind: string;
  readonly description: string;
  /** JSON Schema of the input, where the agent has one. */
  readonly inputSchema?: JsonObject;
}

/** One call of an agent by another. */
export interface AgentInvocation {
  readonly namespace: string;
  readonly agentKey: string;
  readonly input: Json;
  /** The same in every attempt of the caller. */
  readonly idempotencyKey: string;
  /** 1 for an agent that a step's agent calls, 2 for one that this one calls, … */
  readonly depth: number;
  readonly signal: AbortSignal;
}

export abstract class AgentInvoker {
  /** What the caller's model is told of an agent; undefined when there is none of this key. */
  abstract find(namespace: string, agentKey: string): Promise<InvocableAgent | undefined>;

  /**
   * Calls an agent to its end. The outcome's usage and cost are all that the call spent, turns included.
   *
   * Fails with `agent.too-deep` beyond `MAX_AGENT_DEPTH`; never throws.
   */
  abstract invoke(call: AgentInvocation): Promise<SettledOutcome>;
}
