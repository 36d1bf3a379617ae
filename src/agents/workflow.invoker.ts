/**
 * WorkflowInvoker: running a workflow as the work of an agent.
 *
 * Owned by agents, who know workflows by this alone; implemented by runs/, which start and follow them.
 */
import type { Json, JsonObject } from '../kernel/json.js';
import type { AgentOutcome } from './agent.provider.js';

/** One run that is asked for. */
export interface WorkflowCall {
  readonly namespace: string;
  /** `{ workflow: { id | name, version?, label? } }` or `{ definition }`, as a start takes it. */
  readonly subject: JsonObject;
  readonly input: Json;
  /** The same for attempts that go on with the same run; absent: every call is a run of its own. */
  readonly lineage?: string;
  /** The run whose step asks, and where that stands in it; absent outside a run. */
  readonly parent?: { readonly runId: string; readonly path: string };
}

export abstract class WorkflowInvoker {
  /**
   * Starts the run unless one of the same lineage and parent is there, follows it to its end, and answers what it
   * gave: output or failure, usage and cost.
   *
   * An abort cancels the run, except where the attempt was handed over: a later call finds the run again. Nested more
   * than ten deep it is refused with `workflow.too-deep`.
   *
   * @throws AppError what a start is refused with, such as `definition.invalid` or `input.invalid`
   */
  abstract invoke(call: WorkflowCall, signal: AbortSignal): Promise<AgentOutcome>;
}
