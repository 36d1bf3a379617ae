import { defineErrors } from '../../kernel/failure.js';

/** Failures of metrics. */
export const metricErrors = defineErrors({
  'metrics.range-invalid': { kind: 'unprocessable', title: 'The range of time can not be answered' },
});
