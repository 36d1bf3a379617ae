/** Carrying out a body: each iteration opens for its steps. */
import type { EngineKind } from './step-kind.js';

export const loopStep: EngineKind<'loop'> = {
  needsPlace: false,
  resolve: () => ({ kind: 'hold' }),
};
