/**
 * What a log says of each unit, read without the engine's own fold.
 *
 * A check that used the fold would believe what the fold believes.
 */
import type { RunEvent } from '../../../src/runs/domain/run.events.js';

/** How a unit has ended. */
export type UnitEnd = 'completed' | 'handled-failure' | 'failed' | 'skipped' | 'cancelled';

/** An event of a unit and where it stands in the log. */
export interface PlacedEvent {
  readonly event: RunEvent;
  readonly index: number;
  readonly path: string;
  readonly name: UnitEventName;
}

export type UnitEventName =
  'started' | 'completed' | 'failed' | 'retrying' | 'waiting' | 'interrupted' | 'cancelled' | 'skipped';

const UNIT_EVENT =
  /^(?:step|item|iteration)\.(started|completed|failed|retrying|waiting|interrupted|cancelled|skipped)$/;

/** The path of the unit that an event is of; undefined for events of the run. */
export function pathOf({ stepId, path }: RunEvent): string | undefined {
  return path ?? stepId;
}

/** The events of units, in the order of the log. */
export function unitEvents(events: readonly RunEvent[]): readonly PlacedEvent[] {
  return events.flatMap((event, index) => {
    const name = UNIT_EVENT.exec(event.type)?.[1] as UnitEventName | undefined;
    const path = pathOf(event);
    return name === undefined || path === undefined ? [] : [{ event, index, path, name }];
  });
}

/** How the unit ends by an event; undefined when the event ends nothing. */
export function endOf({ event, name }: PlacedEvent): UnitEnd | undefined {
  switch (name) {
    case 'completed':
    case 'skipped':
    case 'cancelled':
      return name;
    case 'failed':
      return (event.data as { readonly handled: boolean }).handled ? 'handled-failure' : 'failed';
    default:
      return undefined;
  }
}

/** Where the log says that the run has ended; its length when it has not. */
export function endIndexOf(events: readonly RunEvent[]): number {
  const index = events.findLastIndex(({ type }) => TERMINAL.has(type));
  return index < 0 ? events.length : index;
}

/** True for the event with which a run ends. */
export function isEnd({ type }: RunEvent): boolean {
  return TERMINAL.has(type);
}

const TERMINAL: ReadonlySet<string> = new Set(['run.completed', 'run.failed', 'run.cancelled']);
