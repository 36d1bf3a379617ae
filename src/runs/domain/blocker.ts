/**
 * Blockers: what holds a run or a unit of it back, and who.
 *
 * Decided here: the closed list of reasons, and the facts that are needed beside the state. Decided elsewhere: which
 * reasons hold (blockers.ts), where the facts come from (blocker.reader.ts).
 */
import type { AgentCondition, Caller } from '../../agents/domain/agent-condition.js';
import type { RunStatus, StepStatus } from './run.status.js';

/** One reason. Instants are ISO 8601 UTC; `until` is when it is over by itself. */
export type Blocker =
  /** A step that must end before. */
  | { readonly kind: 'dependency'; readonly path: string; readonly status: StepStatus }
  /** Its condition reads steps that have not ended. */
  | { readonly kind: 'condition'; readonly reads: readonly string[] }
  /** It runs when the end of the run is decided. */
  | { readonly kind: 'ending' }
  /** All places are taken: of the run (`maxParallelSteps`), of its step (`forEach.maxConcurrency`), of the process, of an agent. */
  | {
      readonly kind: 'slot';
      readonly of: 'run' | 'step' | 'process' | 'agent';
      readonly limit?: number;
      readonly agent?: string;
      /** At most 100. */
      readonly heldBy: readonly Holder[];
      readonly until?: string;
    }
  /** An agent's calls or tokens of this minute are used up, or its service asked for a pause. */
  | { readonly kind: 'rate'; readonly agent: string; readonly of: 'limit' | 'pause'; readonly until: string }
  /** Its time has not come. */
  | {
      readonly kind: 'timer';
      readonly of: 'backoff' | 'wait';
      readonly until: string;
      readonly failure?: string;
    }
  | { readonly kind: 'signal'; readonly name: string; readonly until?: string }
  | {
      readonly kind: 'approval';
      readonly id?: string;
      /** Absent: whoever may answer approvals. */
      readonly assignees?: readonly string[];
      readonly prompt?: string;
      readonly until?: string;
    }
  | { readonly kind: 'pause'; readonly since?: string; readonly by?: string; readonly reason?: string }
  /** The agent is not called: somebody took it offline, or its breaker is open. */
  | {
      readonly kind: 'agent';
      readonly agent: string;
      readonly status: 'offline' | 'broken';
      readonly until?: string;
    }
  /** Queued runs that come before this one. */
  | { readonly kind: 'queue'; readonly ahead: number }
  /** A worker outside has it, or none has taken it yet. */
  | {
      readonly kind: 'task';
      readonly id: string;
      readonly agent?: string;
      readonly status?: 'queued' | 'leased';
      readonly since?: string;
      /** How often it was handed out. */
      readonly deliveries?: number;
      readonly until?: string;
    }
  /** Another run that works for it. */
  | { readonly kind: 'run'; readonly runId: string; readonly status?: RunStatus; readonly until?: string }
  /** An attempt is under way. */
  | {
      readonly kind: 'attempt';
      readonly attempt: number;
      readonly since?: string;
      readonly agent?: string;
      /** When its time is up. */
      readonly until?: string;
    }
  /** Items, iterations or steps that it holds are under way. */
  | {
      readonly kind: 'held';
      readonly of: 'items' | 'iterations' | 'body';
      /** How many there are; of iterations those that have begun. */
      readonly total: number;
      readonly ended: number;
    }
  /** The run is cancelled: what is under way ends, nothing else starts. */
  | { readonly kind: 'cancelling'; readonly until?: string; readonly reason?: string }
  /** No process drives the run at present. */
  | { readonly kind: 'owner' }
  /** The run may have killed its process twice, or another one may have: such a run is executed alone. */
  | { readonly kind: 'isolation'; readonly heldBy: readonly Holder[] };

export type BlockerKind = Blocker['kind'];

/** Who has what somebody else waits for. */
export interface Holder {
  readonly runId: string;
  readonly path?: string;
}

/** A unit that has not ended, and why; nothing holds it back where there is no reason: it is about to go on. */
export interface UnitBlockers {
  readonly stepId: string;
  readonly path: string;
  readonly status: StepStatus;
  readonly blockers: readonly Blocker[];
}

/** A task of a unit, open still. */
export interface TaskFact {
  readonly id: string;
  readonly agent: string;
  readonly status: 'queued' | 'leased';
  readonly since: number;
  readonly deliveries: number;
  readonly leaseUntil?: number;
}

/** What is known beside the state. Instants are milliseconds since the epoch. */
export interface BlockerFacts {
  readonly now: number;
  /** Whether a process drives the run. */
  readonly isOwned: boolean;
  /** Whether a process should: it wants to be looked at. */
  readonly isDue: boolean;
  /** The runs that this process executes, and how many it may. */
  readonly process: { readonly limit: number; readonly executing: readonly string[] };
  /** Queued runs that come before this one. */
  readonly queuedAhead: number;
  /** Runs whose attempts must end before this one may start any. */
  readonly isolatedBehind: readonly string[];
  /** By reference, as steps write it. */
  readonly agents: ReadonlyMap<string, AgentCondition>;
  /** By the path of the unit. */
  readonly tasks: ReadonlyMap<string, TaskFact>;
  /** Runs that work for a unit, by its path. */
  readonly runs: ReadonlyMap<string, { readonly runId: string; readonly status?: RunStatus }>;
}

/** A call as a holder. */
export function holderOf({ runId, path }: Caller): Holder {
  return { runId, path };
}
