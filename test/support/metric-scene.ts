/** Logs of runs that spend and fail in many ways, and what they come to when they are simply gone through. */
import fc from 'fast-check';

import { MetricCounter } from '../../src/metrics/metric-counter.js';
import type { MetricStore } from '../../src/metrics/metric.store.js';
import { isoOf } from '../../src/kernel/time.js';
import type { Clock } from '../../src/platform/clock/clock.js';
import type { MetricConfig } from '../../src/platform/config/app.config.js';
import { encodeEvent, type RunEvent } from '../../src/runs/domain/run.events.js';
import type { Stores } from '../contract/record-scene.js';
import { aRun, aRunId, anAppend } from './a-run.js';

/** The default configuration, but for some fields. */
export function metricConfig(fields: Partial<MetricConfig> = {}): MetricConfig {
  return {
    isEnabled: true,
    retentionMs: { minute: 48 * 3_600_000, hour: 90 * 86_400_000, day: 1_095 * 86_400_000 },
    maxSeries: 1_000,
    maxLabels: 10,
    ...fields,
  };
}

/** What happens to one attempt. */
interface AttemptPlan {
  readonly ms: number;
  readonly retries: number;
  readonly tokens: number;
  readonly costMicros: number;
  readonly end: 'completed' | 'failed' | 'skipped' | 'open';
}

export interface RunPlan {
  readonly workflow: string;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly queueMs: number;
  readonly steps: readonly AttemptPlan[];
  readonly end: 'run.completed' | 'run.failed' | 'run.cancelled' | 'open';
}

const attempts: fc.Arbitrary<AttemptPlan> = fc.record({
  ms: fc.oneof(fc.nat(50), fc.nat(400_000)),
  retries: fc.nat(2),
  tokens: fc.nat(5_000),
  costMicros: fc.nat(90_000),
  end: fc.constantFrom('completed', 'completed', 'failed', 'skipped', 'open'),
});

/** Runs within four hours that end at `end`. */
export function runPlans(end: number): fc.Arbitrary<readonly RunPlan[]> {
  const plan = fc.record({
    workflow: fc.constantFrom('a', 'b', '__proto__'),
    tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'constructor'), { maxLength: 2 }),
    createdAt: fc.integer({ min: end - 4 * 3_600_000, max: end - 7_200_000 }),
    queueMs: fc.nat(20_000),
    steps: fc.array(attempts, { maxLength: 4 }),
    end: fc.constantFrom(
      'run.completed' as const,
      'run.completed' as const,
      'run.failed' as const,
      'run.cancelled' as const,
      'open' as const,
    ),
  });
  return fc.array(plan, { minLength: 1, maxLength: 12 });
}

/** The log of a planned run: one event after the other. */
export function eventsOf(plan: RunPlan, runId: string): readonly RunEvent[] {
  const events: RunEvent[] = [];
  let at = plan.createdAt;
  const add = (type: string, data: object, stepId?: string): void => {
    const place = stepId === undefined ? {} : { stepId, attempt: 1 };
    events.push({
      runId,
      seq: events.length + 1,
      type,
      at: isoOf(at),
      ...place,
      data,
    } as unknown as RunEvent);
  };
  add('run.queued', {
    definition: {
      name: plan.workflow,
      steps: plan.steps.map((_, index) => ({ id: `s${index}`, agent: 'scripted' })),
    },
    manifest: { agents: {} },
    options: { tags: plan.tags },
  });
  at += plan.queueMs;
  add('run.started', {});
  plan.steps.forEach((step, index) => {
    const stepId = `s${index}`;
    if (step.end === 'skipped') {
      add('step.skipped', { reason: 'condition-false' }, stepId);
      return;
    }
    const spent = { usage: { inputTokens: step.tokens }, costMicros: step.costMicros };
    for (let retry = 0; retry < step.retries; retry += 1) {
      add('step.started', {}, stepId);
      at += step.ms;
      add('step.retrying', spent, stepId);
    }
    add('step.started', {}, stepId);
    add('turn.completed', { turn: 1, body: { model: 'm-1' }, ...spent }, stepId);
    at += step.ms;
    if (step.end !== 'open') add(`step.${step.end}`, { handled: true }, stepId);
  });
  if (plan.end !== 'open') add(plan.end, plan.end === 'run.failed' ? { status: 'failed' } : {});
  return events;
}

/** Writes runs to the record, their appends shuffled by `order`: each number takes the next append of one run. */
export async function record(
  stores: Stores,
  plans: readonly RunPlan[],
  order: readonly number[],
): Promise<readonly (readonly RunEvent[])[]> {
  const logs = plans.map((plan) => eventsOf(plan, aRunId()));
  const rest = logs.map((events) => [...events]);
  const ownerId = 'own_00000000000000000000000000000001';
  await stores.lease.renew(ownerId, 600_000);
  const write = async (index: number): Promise<void> => {
    const [next] = rest[index]?.splice(0, 1) ?? [];
    if (next === undefined) return;
    const { runId, seq } = next;
    if (seq === 1)
      await stores.runs.create({ run: aRun({ id: runId, events: [encodeEvent(next)] }), ownerId });
    else
      await stores.runs.append(
        anAppend({ runId, ownerId, epoch: 1 }, { expectedSeq: seq - 1, events: [encodeEvent(next)] }),
      );
  };
  for (const number of order) await write(number % plans.length);
  for (const index of plans.keys()) while ((rest[index]?.length ?? 0) > 0) await write(index);
  return logs;
}

/** A counter of a record, as a process that has just started has it. */
export function aCounter(
  stores: Stores,
  clock: Clock,
  metrics: MetricStore = stores.metrics,
  config = metricConfig(),
): MetricCounter {
  return new MetricCounter({ metrics, runs: stores.runs, clock, config });
}

/** Counts what the log holds, page by page, with what is left of a page that failed counted again. */
export async function countLog(counter: MetricCounter, stores: Stores, pageSize: number): Promise<void> {
  for (;;) {
    const from = await counter.cursor();
    const page = await stores.log.readAfter(from, pageSize);
    if (page.entries.length === 0) return;
    await counter.take(from, page).catch((error: unknown) => {
      if (!(error instanceof Error) || error.message !== 'a failure on purpose') throw error;
    });
  }
}
