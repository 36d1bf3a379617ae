/** Waiting for a signal: done at once when one is kept under its name. */
import type { EngineKind } from './step-kind.js';

export const signalStep: EngineKind<'signal'> = {
  needsPlace: false,
  resolve({ signal, timeoutMs }, resolving) {
    const { now, keptSignal } = resolving();
    const data = keptSignal(signal);
    if (data !== undefined) return { kind: 'complete', output: data };
    const until = timeoutMs === undefined ? {} : { until: now + timeoutMs };
    return { kind: 'wait', for: 'signal', name: signal, ...until };
  },
};
