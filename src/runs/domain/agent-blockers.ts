/** What holds a unit back that calls an agent: the agent, its places, and whoever works for it outside. */
import type { AgentCondition } from '../../agents/domain/agent-condition.js';
import { isoOf } from '../../kernel/time.js';
import { deadlineOf } from './attempt-deadline.js';
import { holderOf, type Blocker, type BlockerFacts } from './blocker.js';
import type { RunState } from './run.state.js';
import type { Unit } from './unit.js';

/** How many holders one reason lists. */
const MAX_LISTED = 100;

/** The condition of the agent that a unit calls; undefined where it calls none, or nothing is known of it. */
export function conditionOf({ step }: Unit, { agents }: BlockerFacts): AgentCondition | undefined {
  return step.work.kind === 'agent' ? agents.get(step.work.agentReference) : undefined;
}

/** Why a call would fail. */
export function troubleOf(unit: Unit, facts: BlockerFacts): readonly Blocker[] {
  const condition = conditionOf(unit, facts);
  if (condition === undefined) return [];
  const { key: agent, isOffline, brokenUntil } = condition;
  if (isOffline) return [{ kind: 'agent', agent, status: 'offline' }];
  if (brokenUntil === undefined || brokenUntil <= facts.now) return [];
  return [{ kind: 'agent', agent, status: 'broken', until: isoOf(brokenUntil) }];
}

/** What an open attempt does: waits for a place at its agent, for a worker, for another run, or works. */
export function attemptBlockers(state: RunState, unit: Unit, facts: BlockerFacts): readonly Blocker[] {
  const condition = conditionOf(unit, facts);
  const isHeldUp = condition?.waiting.some(({ runId, path }) => runId === state.runId && path === unit.path);
  if (condition !== undefined && isHeldUp === true) return [placeBlocker(condition, facts.now)];
  const until = untilOf(unit);
  const task = facts.tasks.get(unit.path);
  if (task !== undefined) {
    const { since, leaseUntil: _lease, ...known } = task;
    return [{ kind: 'task', ...known, since: isoOf(since), ...until }];
  }
  const run = facts.runs.get(unit.path);
  if (run !== undefined) return [{ kind: 'run', ...run, ...until }];
  return [
    {
      kind: 'attempt',
      attempt: unit.attempt,
      ...(unit.startedAt !== undefined && { since: isoOf(unit.startedAt) }),
      ...(unit.step.work.kind === 'agent' && { agent: unit.step.work.agentKey }),
      ...until,
    },
  ];
}

function placeBlocker(
  { key: agent, maxConcurrency, holding, obstacle }: AgentCondition,
  now: number,
): Blocker {
  if (obstacle !== undefined && obstacle.by !== 'slots') {
    const until = isoOf(Math.max(now, obstacle.until));
    return { kind: 'rate', agent, of: obstacle.by === 'pause' ? 'pause' : 'limit', until };
  }
  const heldBy = holding.slice(0, MAX_LISTED).map(holderOf);
  return {
    kind: 'slot',
    of: 'agent',
    agent,
    heldBy,
    ...(maxConcurrency !== undefined && { limit: maxConcurrency }),
  };
}

function untilOf(unit: Unit): { readonly until?: string } {
  const deadline = deadlineOf(unit);
  return deadline === undefined ? {} : { until: isoOf(deadline.at) };
}
