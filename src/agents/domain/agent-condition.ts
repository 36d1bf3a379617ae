/** What holds the calls of an agent back, as far as this process knows. */

/** A call of a run. */
export interface Caller {
  readonly runId: string;
  /** The unit that calls. */
  readonly path: string;
}

/** What a call that waits was refused for last: all places are taken, a rate is used up, or the other side asked for a pause. */
export type LimitObstacle = 'slots' | 'rate' | 'pause';

/** The places of an agent. */
export interface AgentPlaces {
  /** Calls of runs that wait, the first in line first. */
  readonly waiting: readonly Caller[];
  /** Calls of runs that are under way. */
  readonly holding: readonly Caller[];
  /** What the first in line waits for, and when it is over at the latest, in milliseconds since the epoch. */
  readonly obstacle?: { readonly by: LimitObstacle; readonly until: number };
}

/** Why calls of an agent may wait or fail. */
export interface AgentCondition extends AgentPlaces {
  readonly key: string;
  /** Names the provider that does the work. */
  readonly kind: string;
  readonly isOffline: boolean;
  /** Until when it is not called because too many calls failed, in milliseconds since the epoch. */
  readonly brokenUntil?: number;
  /** Calls at the same time; absent: any number. */
  readonly maxConcurrency?: number;
}
