/** The events of one decision, numbered on from the state and dated by the command. */
import { isoOf } from '../../kernel/time.js';
import type { RunEvent, RunEventMap, RunEventType } from './run.events.js';
import type { RunState } from './run.state.js';
import type { Unit } from './unit.js';

/** What happens to a unit of any role: `started` is `step.started`, `item.started` or `iteration.started`. */
export type UnitEventName =
  'started' | 'completed' | 'failed' | 'retrying' | 'waiting' | 'interrupted' | 'cancelled';

export class Draft {
  readonly events: RunEvent[] = [];
  private readonly at: string;

  constructor(
    readonly state: RunState,
    readonly now: number,
  ) {
    this.at = isoOf(now);
  }

  /** An event of the run as a whole. */
  run<T extends RunEventType>(type: T, data: RunEventMap[T]): void {
    const { runId } = this.state;
    this.events.push({ runId, seq: this.nextSeq(), type, at: this.at, data } as RunEvent);
  }

  /** An event of a unit under the name of its role. */
  unit<N extends UnitEventName>(
    name: N,
    unit: Unit,
    data: RunEventMap[`step.${N}`],
    attempt = unit.attempt,
  ): void {
    // The events of every role have the same data.
    this.of(unit, `${unit.role}.${name}` as `step.${N}`, data, attempt);
  }

  /** An event of a unit, of any type. */
  of<T extends RunEventType>(unit: Unit, type: T, data: RunEventMap[T], attempt = unit.attempt): void {
    const { runId } = this.state;
    const { path, step } = unit;
    const head = { runId, seq: this.nextSeq(), type, at: this.at, stepId: step.id };
    const place = path === step.id ? head : { ...head, path };
    this.events.push((attempt > 0 ? { ...place, attempt, data } : { ...place, data }) as RunEvent);
  }

  /** The number of the event that is drafted next. */
  nextSeq(): number {
    return this.state.lastSeq + 1 + this.events.length;
  }
}
