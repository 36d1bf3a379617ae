import { defineErrors } from '../../kernel/failure.js';

export const scheduleErrors = defineErrors({
  'schedule.not-found': { kind: 'not-found', title: 'There is no such schedule' },
  'schedule.invalid': { kind: 'unprocessable', title: 'The schedule can not be followed' },
  'schedule.backfill-too-large': { kind: 'unprocessable', title: 'The time span has too many instants' },
  'schedule.contended': {
    kind: 'conflict',
    title: 'Others kept changing the schedule at the same time',
    retryable: true,
  },
});
