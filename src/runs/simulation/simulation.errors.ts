import { defineErrors } from '../../kernel/failure.js';

/** Failures of simulations. */
export const simulationErrors = defineErrors({
  'simulation.limit-exceeded': { kind: 'unprocessable', title: 'The simulation goes on for too long' },
});
