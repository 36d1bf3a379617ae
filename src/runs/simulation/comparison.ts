/** What crashes have changed of a simulated run. */
import { canonicalJson, type Json } from '../../kernel/json.js';
import { ALL_INLINE } from '../domain/kept.js';
import type { RunEvent } from '../domain/run.events.js';
import type { RunState } from '../domain/run.state.js';

/** A unit whose agent was called more often than without crashes. */
export interface RepeatedCall {
  readonly path: string;
  /** Attempts in all. */
  readonly calls: number;
  /** Those that ended with their process. */
  readonly interrupted: number;
}

/** Something that came out otherwise: `status`, `output`, `context`, or the step of that id. */
export interface Difference {
  readonly of: string;
  readonly withoutCrashes: Json;
  readonly withCrashes: Json;
}

/** The units that were interrupted, in the order in which they were first. */
export function repeatedCallsOf(log: readonly RunEvent[]): readonly RepeatedCall[] {
  const counts = new Map<string, { calls: number; interrupted: number }>();
  for (const { type, stepId, path = stepId, attempt } of log) {
    if (path === undefined || attempt === undefined) continue;
    const count = counts.get(path) ?? { calls: 0, interrupted: 0 };
    counts.set(path, count);
    if (type.endsWith('.started')) count.calls = attempt;
    if (type.endsWith('.interrupted')) count.interrupted += 1;
  }
  return [...counts]
    .filter(([, count]) => count.interrupted > 0)
    .map(([path, count]) => ({ path, ...count }));
}

/** What differs between two ends, as far as callers can see it; times and numbers of attempts are left out. */
export function differencesBetween(calm: RunState, crashed: RunState): readonly Difference[] {
  const withCrashes = new Map(partsOf(crashed));
  return partsOf(calm)
    .map(([of, without]) => ({ of, withoutCrashes: without, withCrashes: withCrashes.get(of) ?? null }))
    .filter((part) => canonicalJson(part.withoutCrashes) !== canonicalJson(part.withCrashes));
}

function partsOf({ status, output, context, root }: RunState): readonly (readonly [string, Json])[] {
  return [
    ['status', status],
    ['output', ALL_INLINE.read(output ?? null)],
    ['context', context],
    ...root.units.map(
      (unit) =>
        [
          unit.step.id,
          {
            status: unit.status,
            output: ALL_INLINE.read(unit.output ?? null),
            failure: unit.failure?.code ?? null,
          },
        ] as const,
    ),
  ];
}
