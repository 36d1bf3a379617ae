/** Every kind of step on the side of the engine. A kind of a definition that is missing here does not compile. */
import type { StepKind, StepWork } from '../../../workflows/domain/kinds/step-kinds.js';
import type { Resolution } from '../run.commands.js';
import { holdingOf, type Unit } from '../unit.js';
import { agentStep } from './agent.step.js';
import { approvalStep } from './approval.step.js';
import { failStep } from './fail.step.js';
import { loopStep } from './loop.step.js';
import { signalStep } from './signal.step.js';
import type { EngineKind, Resolving } from './step-kind.js';
import { transformStep } from './transform.step.js';
import { waitStep } from './wait.step.js';
import { workflowStep } from './workflow.step.js';

const KINDS: { readonly [K in StepKind]: EngineKind<K> } = {
  agent: agentStep,
  approval: approvalStep,
  fail: failStep,
  loop: loopStep,
  signal: signalStep,
  transform: transformStep,
  wait: waitStep,
  workflow: workflowStep,
};

/** Whether a unit takes one of the run's places while it is under way: what holds others never does. */
export function needsPlace(unit: Unit): boolean {
  return holdingOf(unit) === undefined && KINDS[unit.step.work.kind].needsPlace;
}

/** How a unit that holds nothing goes on when it is its turn. */
export function resolveWork(work: StepWork, resolving: () => Resolving): Resolution {
  const kind = KINDS[work.kind] as EngineKind<StepKind>;
  return kind.resolve(work, resolving);
}
