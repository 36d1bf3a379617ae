/**
 * A schedule: a rule that starts runs, and how far it has come.
 *
 * Decided here: its shape, what it is called in each state, and how late each fire is on purpose. Decided elsewhere:
 * when it fires (next-fires.ts), what becomes of a fire (fire-plan.ts).
 */
import type { Json, JsonObject } from '../../kernel/json.js';

/** What happens when a fire is due while a run of the same schedule has not ended. */
export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'cancel_other', 'allow_all'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** When it fires. Times are milliseconds since the epoch; `startAt` and `endAt` may themselves be instants of it. */
export type ScheduleRule = {
  readonly startAt?: number;
  readonly endAt?: number;
} & (
  | { readonly kind: 'cron'; readonly cron: string; readonly timezone: string }
  /** Instants are `anchorAt` and every `intervalMs` from there. */
  | { readonly kind: 'interval'; readonly intervalMs: number; readonly anchorAt: number }
);

/** How fires are treated. */
export interface SchedulePolicy {
  /** Each fire is late by a part of this, the same whenever and by whomever it is computed. */
  readonly jitterMs: number;
  readonly overlap: Overlap;
  /** A fire that is later than this is recorded as missed. */
  readonly catchUpWindowMs: number;
  /** Whether a run that failed or timed out, or could not be started, pauses the schedule. */
  readonly pauseOnFailure: boolean;
}

/** What each fire starts. */
export interface ScheduledRun {
  readonly definition?: JsonObject;
  readonly workflow?: JsonObject;
  readonly input?: Json;
  readonly context?: JsonObject;
  readonly tags?: readonly string[];
  readonly priority?: number;
}

/** A schedule as it is kept. */
export interface Schedule {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Counts changes that people made, from 1. */
  readonly version: number;
  /** Counts all changes; nobody writes over one that they have not seen. */
  readonly revision: number;
  readonly rule: ScheduleRule;
  readonly policy: SchedulePolicy;
  readonly run: ScheduledRun;
  readonly paused?: Pause;
  /** The instant that fires next; absent when there is none, or while it is paused. */
  readonly nextAt?: number;
  /** The last instant that was decided: nothing up to it fires again, even where the clock is set back. */
  readonly lastAt?: number;
  /** When somebody has to look at it, at the latest; absent when only a change or the end of a run matters. */
  readonly wakeAt?: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Since when and why nothing fires. */
export interface Pause {
  readonly at: number;
  readonly note?: string;
}

/** `ended`: there is no instant any more. */
export type ScheduleStatus = 'active' | 'paused' | 'ended';

/** What people call the state that a schedule is in. */
export function statusOf({ paused, nextAt }: Pick<Schedule, 'paused' | 'nextAt'>): ScheduleStatus {
  if (paused !== undefined) return 'paused';
  return nextAt === undefined ? 'ended' : 'active';
}

/** How late the fire of an instant is on purpose: 0 to `jitterMs`, evenly spread, the same each time. */
export function jitterOf(
  { id, policy: { jitterMs } }: Pick<Schedule, 'id' | 'policy'>,
  instantMs: number,
): number {
  return jitterMs === 0 ? 0 : hashOf(`${id}:${instantMs}`) % (jitterMs + 1);
}

/** FNV-1a with the final mix of MurmurHash3: texts that differ in one digit are far apart. 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
