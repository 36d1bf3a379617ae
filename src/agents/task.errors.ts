import { defineErrors } from '../kernel/failure.js';

/** Failures of tasks for workers. */
export const taskErrors = defineErrors({
  'agent.not-worker': { kind: 'unprocessable', title: 'The agent is not carried out by workers' },
  'task.token-expired': {
    kind: 'conflict',
    title: 'The lease of the token has run out, or there never was such a token',
  },
  'task.token-used': { kind: 'conflict', title: 'The task was answered otherwise with this token' },
  'task.cancelled': { kind: 'conflict', title: 'Nobody wants the task done any more' },
  'task.heartbeat-lost': {
    kind: 'upstream',
    title: 'Every worker that took the task fell silent',
    retryable: true,
  },
});
