import { v7 } from 'uuid';

import type { NewTask } from '../../src/agents/domain/task.js';
import { makeId } from '../../src/kernel/ids.js';

/** A task of the agent `translator` that holds a minute without a heartbeat and is handed out twice at most. */
export function aTask(fields: Partial<NewTask> = {}): NewTask {
  const id = makeId('tsk', v7());
  return {
    id,
    namespace: 'default',
    agentKey: 'translator',
    lineage: id,
    input: { text: 'Guten Tag' },
    idempotencyKey: `key of ${id}`,
    attempt: 1,
    heartbeatTimeoutMs: 60_000,
    maxDeliveries: 2,
    createdAt: 1_700_000_000_000,
    ...fields,
  };
}
