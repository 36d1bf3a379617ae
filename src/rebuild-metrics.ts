/** `npm run rebuild-metrics`: counts the figures of metrics again from the log, in the store of the configuration. */
import { carryOut } from './command.js';
import { ok } from './kernel/result.js';
import { rebuildFigures } from './metrics/rebuild-figures.js';
import { Clock } from './platform/clock/clock.js';
import { MetricStore } from './metrics/metric.store.js';
import { RunLog } from './runs/run.log.js';
import { RunStore } from './runs/run.store.js';

process.exitCode = await carryOut({
  imports: [],
  run: async (context, config) => {
    const counted = await rebuildFigures(
      {
        metrics: context.get(MetricStore),
        runs: context.get(RunStore),
        clock: context.get(Clock),
        config: config.metrics,
      },
      context.get(RunLog),
    );
    return ok(`Counted ${String(counted)} events again.`);
  },
  whenLocked: 'Stop it and try again.',
});
