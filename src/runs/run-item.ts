/** A run row as lists show it: over REST, and to those who watch runs. */
import { usdFromMicros } from '../kernel/money.js';
import { isoOf } from '../kernel/time.js';
import { linksOf, progressOf, type RunView } from './domain/view.js';
import type { RunRow } from './run.catalogue.js';

/** What a list says of a run. */
export interface RunItem extends Omit<
  RunView,
  'input' | 'context' | 'output' | 'failure' | 'manifest' | 'parent' | 'forkedFrom' | 'retries'
> {
  /** The code of the failure, where the run failed. */
  readonly failureCode?: string;
}

/** The item of a row: nothing that would need the run's log. */
export function runItemOf(row: RunRow): RunItem {
  const { summary } = row;
  const settled = summary.stepsCompleted + summary.stepsFailed + summary.stepsSkipped;
  return {
    id: row.id,
    namespace: row.namespace,
    ...(row.name === undefined ? {} : { name: row.name }),
    status: summary.status,
    ...(row.workflowId === undefined
      ? {}
      : { workflow: { id: row.workflowId, version: row.workflowVersion ?? 1 } }),
    createdAt: isoOf(row.createdAt),
    ...(summary.startedAt === undefined ? {} : { startedAt: isoOf(summary.startedAt) }),
    ...(summary.endedAt === undefined ? {} : { endedAt: isoOf(summary.endedAt) }),
    progress: progressOf(settled, summary.stepsTotal),
    usage: { inputTokens: summary.inputTokens, outputTokens: summary.outputTokens },
    costUsd: usdFromMicros(summary.costMicros),
    ...(summary.failureCode === undefined ? {} : { failureCode: summary.failureCode }),
    tags: row.tags,
    priority: row.priority,
    lastSeq: row.lastSeq,
    links: linksOf(row.id, row.parentId),
  };
}
