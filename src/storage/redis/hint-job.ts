/**
 * A hint as a job of BullMQ. The id is the run's, so hints of a run that wait together are one job, and nothing else is
 * in it.
 */
import type { Job, JobsOptions } from 'bullmq';

import type { RunHint } from '../../runs/run.queue.js';

/** The queue; what is in braces decides the slot of a cluster, so all keys of it lie on one node. */
export const HINT_QUEUE = '{hints}';

/** BullMQ takes the lowest number first, and 0 stands for none. */
const LOWEST = 101;

/** A job as the queue takes it. */
export interface HintJob {
  readonly name: string;
  readonly data: Record<string, never>;
  readonly opts: JobsOptions;
}

export function hintJob({ runId, priority }: RunHint): HintJob {
  return {
    name: 'look',
    data: {},
    opts: { jobId: runId, priority: LOWEST - priority, removeOnComplete: true, removeOnFail: true },
  };
}

export function hintOf({ id = '', priority }: Pick<Job, 'id' | 'priority'>): RunHint {
  return { runId: id, priority: LOWEST - priority };
}
