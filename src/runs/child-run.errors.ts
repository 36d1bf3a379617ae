import { defineErrors } from '../kernel/failure.js';

/** Failures of runs that are the work of a step of another run. */
export const childRunErrors = defineErrors({
  'workflow.too-deep': { kind: 'unprocessable', title: 'Workflows call one another too deep' },
});
