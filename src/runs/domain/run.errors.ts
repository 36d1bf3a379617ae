import { defineErrors } from '../../kernel/failure.js';

/** Failures of runs and of their steps. */
export const runErrors = defineErrors({
  'run.not-found': { kind: 'not-found', title: 'No such run' },
  'run.not-active': { kind: 'conflict', title: 'The run has ended or is ending' },
  'run.not-ended': { kind: 'conflict', title: 'The run has not ended' },
  'run.has-parent': { kind: 'conflict', title: 'The run works for another one that is there' },
  'run.unread': {
    kind: 'conflict',
    title: 'Not all events of the run are read by those who follow the log',
    retryable: true,
  },
  'run.timed-out': { kind: 'timeout', title: 'The run used up its execution time' },
  'run.output-invalid': {
    kind: 'unprocessable',
    title: 'The output of the run does not satisfy the output schema of the workflow',
  },
  'run.poisoned': { kind: 'internal', title: 'The run kept killing the process that executed it' },
  'run.owner-changed': { kind: 'unavailable', title: 'Another process drives the run now', retryable: true },
  'run.too-new': { kind: 'unavailable', title: 'The run needs a newer version of the service' },
  'step.timed-out': { kind: 'timeout', title: 'An attempt took longer than its time limit', retryable: true },
  'step.queue-timed-out': { kind: 'timeout', title: 'A step waited too long for a free place' },
  'step.output-invalid': {
    kind: 'unprocessable',
    title: 'The output of a step does not satisfy its output schema',
  },
  'map.items-invalid': { kind: 'unprocessable', title: 'What a step maps over is no list' },
  'map.too-many-items': { kind: 'unprocessable', title: 'The list of a step that maps is too long' },
  'map.threshold-exceeded': { kind: 'unprocessable', title: 'More items failed than the step tolerates' },
  'loop.exhausted': {
    kind: 'unprocessable',
    title: 'The condition of a loop did not hold within its iterations or its time',
  },
  'context.write-invalid': {
    kind: 'unprocessable',
    title: 'What a step writes to the context does not fit how it is put together',
  },
  'wait.invalid': { kind: 'unprocessable', title: 'A step waits for something that is no instant' },
  'approval.invalid': { kind: 'unprocessable', title: 'An approval can not be asked for as it stands' },
  'approval.rejected': { kind: 'unprocessable', title: 'Somebody rejected what was to be approved' },
  'approval.timed-out': { kind: 'timeout', title: 'Nobody answered an approval in time' },
  'workflow.too-deep': { kind: 'unprocessable', title: 'Workflows run one another too deep' },
  'workflow.cancelled': { kind: 'conflict', title: 'Somebody cancelled the run that did the work of a step' },
  'signal.too-many': { kind: 'limited', title: 'The run keeps too many signals that no step has taken' },
  'step.not-found': { kind: 'not-found', title: 'The run has no such step' },
  'artifact.not-found': { kind: 'not-found', title: 'The run has no such artifact' },
  'value.too-large': { kind: 'too-large', title: 'An input or an output is larger than 50 MiB' },
  'blob.not-found': { kind: 'not-found', title: 'The run refers to no such blob' },
  'queue.full': { kind: 'limited', title: 'Too many runs are queued', retryable: true },
});
