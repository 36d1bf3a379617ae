/** Every kind of step on the side of the definition: what it reads of its fields. */
import type { StepReader } from '../step-reader.js';
import { readAgent, type AgentWork } from './agent.step.js';
import { readApproval, type ApprovalWork } from './approval.step.js';
import { readFail, type FailWork } from './fail.step.js';
import { readLoop, type LoopWork } from './loop.step.js';
import { readSignal, type SignalWork } from './signal.step.js';
import { readTransform, type TransformWork } from './transform.step.js';
import { readWait, type WaitWork } from './wait.step.js';
import { readWorkflow, type WorkflowWork } from './workflow.step.js';

/** What a step does, compiled. */
export type StepWork =
  AgentWork | ApprovalWork | FailWork | LoopWork | SignalWork | TransformWork | WaitWork | WorkflowWork;

export type StepKind = StepWork['kind'];

/** The work of one kind. */
export type WorkOf<K extends StepKind> = Extract<StepWork, { readonly kind: K }>;

/** How each kind is read. */
export const STEP_READERS: { readonly [K in StepKind]: (step: StepReader) => WorkOf<K> } = {
  agent: readAgent,
  approval: readApproval,
  fail: readFail,
  loop: readLoop,
  signal: readSignal,
  transform: readTransform,
  wait: readWait,
  workflow: readWorkflow,
};
