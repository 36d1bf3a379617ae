/** What was seen of a service under faults: the record, what clients were told, what stubs were asked. */
import type { RunEvent } from '../../../src/runs/domain/run.events.js';

/** The promises that are checked, numbered as in docs/invariants.md. */
export type Invariant =
  'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12' | 'I13';

/** Something that must never be. */
export interface Violation {
  readonly invariant: Invariant;
  readonly runId?: string;
  /** The unit that it is about. */
  readonly path?: string;
  readonly message: string;
}

/** One run as the record has it. */
export interface RunEvidence {
  readonly runId: string;
  /** In the order of the record. */
  readonly events: readonly RunEvent[];
  /** The number that the record keeps beside each event. */
  readonly numbers?: readonly number[];
  /** Which append each event was written by; absent where that is not known. */
  readonly appends?: readonly string[];
  /** When each event was written, by a clock that nobody sets, in milliseconds; absent where there is none. */
  readonly writtenAt?: readonly number[];
  readonly row?: RowEvidence;
}

/** The row of a run. */
export interface RowEvidence {
  readonly status: string;
  readonly lastSeq: number;
  readonly ownerId?: string;
}

/** One call that a stub received. */
export interface CallEvidence {
  readonly runId: string;
  readonly path: string;
  /** Absent where the stub is not told. */
  readonly attempt?: number;
  readonly key: string;
  /** When it came, on the clock of `writtenAt`. */
  readonly at: number;
  readonly endedAt?: number;
  /** The JSON text of what it was answered; null when it failed or was cut off; absent where that is not known. */
  readonly answer?: string | null;
  /** What limits how many such calls are under way at once. */
  readonly limit?: string;
}

/** Events as somebody received them, in the order in which they came. */
export interface CaptureEvidence {
  readonly runId: string;
  /** `rest`, `sse`, `socket` … */
  readonly from: string;
  /** What it asked for: events after this one. */
  readonly afterSeq: number;
  readonly events: readonly RunEvent[];
  /** Whether it heard the end, so that nothing may be missing. */
  readonly isWhole: boolean;
}

/** How many calls may be under way at once. */
export interface LimitEvidence {
  readonly name: string;
  readonly max: number;
  /** Leases that were lost: each allows one call too many, for at most `leaseMs`. @default 0 */
  readonly lostLeases?: number;
  readonly leaseMs?: number;
}

/** A start that was answered with 2xx, or sent without hearing an answer. */
export interface StartEvidence {
  readonly runId: string;
  readonly key?: string;
}

/** What there is of a kind when nothing runs, before and after. */
export interface BaselineEvidence {
  /** `leases`, `slots`, `timers`, `sockets` … */
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

export interface Evidence {
  readonly runs: readonly RunEvidence[];
  readonly accepted?: readonly StartEvidence[];
  /** Runs that a repeated key would answer with. */
  readonly keyed?: ReadonlyMap<string, string>;
  readonly calls?: readonly CallEvidence[];
  readonly captures?: readonly CaptureEvidence[];
  readonly limits?: readonly LimitEvidence[];
  readonly baselines?: readonly BaselineEvidence[];
  /** What processes have said of deaths and rejections that nobody asked for. */
  readonly troubles?: readonly string[];
  /** Whether every run must have ended, or be visibly waiting. */
  readonly isOver: boolean;
}
