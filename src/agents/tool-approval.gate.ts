/**
 * ToolApprovalGate: whether a call of a tool that requires approval may be made.
 *
 * Decided here: the question and the three answers. Decided elsewhere: who is asked and how long one waits.
 */
import { Injectable } from '@nestjs/common';

import { failureOf, type Failure } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { agentErrors } from './agent.errors.js';

/** A call that somebody has to approve. */
export interface ToolRequest {
  readonly namespace: string;
  readonly agentKey: string;
  /** Absent when the agent is called outside a run. */
  readonly runId?: string;
  readonly stepId?: string;
  readonly tool: string;
  readonly input: Json;
  /** The same in every attempt: a decision once made holds for it. */
  readonly idempotencyKey: string;
}

export type ToolDecision =
  | { readonly kind: 'approved' }
  /** The model is told, and may go on without. */
  | { readonly kind: 'declined'; readonly reason: string }
  /** The attempt ends with the failure. */
  | { readonly kind: 'failed'; readonly failure: Failure };

export abstract class ToolApprovalGate {
  /** Decides before the tool is called; nothing is called while this is pending. An abort ends the wait. */
  abstract decide(request: ToolRequest, signal: AbortSignal): Promise<ToolDecision>;
}

/** Nobody can be asked: what requires approval is never called. */
@Injectable()
export class ClosedToolApprovalGate extends ToolApprovalGate {
  override decide({ tool }: ToolRequest): Promise<ToolDecision> {
    const message = `the tool "${tool}" requires approval, and nobody can be asked for it`;
    return Promise.resolve({
      kind: 'failed',
      failure: failureOf(agentErrors['tool.approval-required'], message, { details: { tool } }),
    });
  }
}
