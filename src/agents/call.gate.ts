/**
 * CallGate: what every call of an agent passes, in a run and outside of one.
 *
 * Decided here: the order of things: reserve, call, settle. Decided elsewhere: what is reserved (agent limits, budgets)
 * and when a call that was refused is made again (the step's retry policy).
 */
import type { Result } from '../kernel/result.js';
import type { AgentOutcome } from './agent.provider.js';
import type { AgentPlaces, Caller } from './domain/agent-condition.js';
import type { Agent } from './domain/agent.js';

/** A call that asks to be let in. */
export interface GateCall {
  readonly namespace: string;
  readonly agent: Agent;
  /** Tokens that the call is thought to take, input and output together. */
  readonly estimatedTokens: number;
  /** Whether its failure says that others will fail too. */
  readonly isBreakable: boolean;
  /** The unit of a run that calls; absent outside of a run. */
  readonly caller?: Caller;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** How a call ended. */
export interface CallEnd {
  readonly outcome: AgentOutcome;
  /** Tokens that it took, input and output together; absent when nobody knows. */
  readonly tokens?: number;
}

/** Leave to make one call. */
export interface Passage {
  /** Aborted when the leave was lost: the call must end, another one may take its place. Absent: it is never lost. */
  readonly signal?: AbortSignal;
  /** Gives back what the call held and counts what it spent; called once, when the call has ended. */
  settle(end: CallEnd): Promise<void>;
}

export abstract class CallGate {
  /**
   * Waits until the agent may be called, first come first served.
   *
   * @returns leave to call, or why there is none: `agent.offline`, `agent.unavailable`; when `signal` is aborted while
   *   it waits, `agent.busy`
   */
  abstract pass(call: GateCall): Promise<Result<Passage>>;

  /** Calls of an agent that wait in this process. */
  abstract waiting(namespace: string, agentId: string): number;

  /** Who waits and who calls in this process. */
  abstract places(namespace: string, agentId: string): AgentPlaces;

  /** For how long this process does not call an agent because too many calls failed; undefined when it does. */
  abstract brokenForMs(namespace: string, agentId: string): number | undefined;
}
