import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { usdFromMicros } from '../kernel/money.js';
import { MetricConfig } from '../platform/config/app.config.js';
import { CacheCounts } from '../platform/telemetry/cache-counts.js';
import { RunCatalogue } from '../runs/run.catalogue.js';
import { RUN_STATUSES, isTerminal } from '../runs/domain/run.status.js';
import type { Figures, Outcome } from './domain/figures.js';
import type { MinuteFigures } from './domain/fold.js';
import { LabelSet } from './domain/label-set.js';
import { DurationMeter } from './duration-meter.js';

const RUN_OUTCOMES: readonly Outcome[] = ['completed', 'failed', 'timed_out', 'cancelled'];
const ATTEMPT_OUTCOMES: readonly Outcome[] = ['completed', 'failed', 'cancelled', 'interrupted'];

/**
 * What Prometheus is told: what this process has counted of the log since it began, how many runs are open, caches, and
 * the process itself. Every set of labels is bounded.
 */
@Injectable()
export class ServiceMeters implements OnApplicationShutdown {
  private readonly registry = new Registry();
  private readonly workflows: LabelSet;
  private readonly agents: LabelSet;
  private readonly models: LabelSet;

  private readonly runsStarted = this.counter('runs_started_total', 'Runs created', 'workflow');
  private readonly runsEnded = this.counter('runs_ended_total', 'Runs that ended', 'workflow', 'outcome');
  private readonly runRetries = this.counter('run_retries_total', 'Attempts tried again', 'workflow');
  private readonly runCost = this.counter('run_cost_usd_total', 'Cost of runs in US dollars', 'workflow');
  private readonly runDurations = this.durations('run_duration_seconds', 'From start to end', 'workflow');
  private readonly runQueues = this.durations('run_queue_seconds', 'From creation to start');
  private readonly attemptsEnded = this.counter('attempts_ended_total', 'Attempts', 'agent', 'outcome');
  private readonly attemptRetries = this.counter('attempt_retries_total', 'Attempts tried again', 'agent');
  private readonly attemptCost = this.counter('attempt_cost_usd_total', 'Cost in US dollars', 'agent');
  private readonly attemptDurations = this.durations('attempt_duration_seconds', 'Of attempts', 'agent');
  private readonly tokens = this.counter('model_tokens_total', 'Tokens', 'model', 'direction');
  private readonly modelCost = this.counter('model_cost_usd_total', 'Cost in US dollars', 'model');

  constructor(
    private readonly catalogue: RunCatalogue,
    private readonly caches: CacheCounts,
    { maxLabels }: MetricConfig,
  ) {
    this.workflows = new LabelSet(maxLabels);
    this.agents = new LabelSet(maxLabels);
    this.models = new LabelSet(maxLabels);
    this.gaugeRuns();
    this.countCaches();
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts figures that are kept now. */
  count(minutes: readonly MinuteFigures[]): void {
    for (const { series, figures } of minutes) {
      if (series.dimension === 'workflow') this.countRuns(this.workflows.label(series.key), figures);
      else if (series.dimension === 'agent') this.countAttempts(this.agents.label(series.key), figures);
      else if (series.dimension === 'model') this.countModel(this.models.label(series.key), figures);
      else if (series.dimension === 'runs') this.runQueues.count(figures.queues);
    }
  }

  /** Everything in the text format of Prometheus, and its media type. */
  async read(): Promise<{ readonly text: string; readonly contentType: string }> {
    return { text: await this.registry.metrics(), contentType: this.registry.contentType };
  }

  onApplicationShutdown(): void {
    this.registry.clear();
  }

  private countRuns(workflow: string, { counts, durations }: Figures): void {
    this.runsStarted.inc({ workflow }, counts.started);
    for (const outcome of RUN_OUTCOMES) this.runsEnded.inc({ workflow, outcome }, counts[outcome]);
    this.runRetries.inc({ workflow }, counts.retries);
    this.runCost.inc({ workflow }, usdFromMicros(counts.costMicros));
    this.runDurations.count(durations, workflow);
  }

  private countAttempts(agent: string, { counts, durations }: Figures): void {
    for (const outcome of ATTEMPT_OUTCOMES) this.attemptsEnded.inc({ agent, outcome }, counts[outcome]);
    this.attemptRetries.inc({ agent }, counts.retries);
    this.attemptCost.inc({ agent }, usdFromMicros(counts.costMicros));
    this.attemptDurations.count(durations, agent);
  }

  private countModel(model: string, { counts }: Figures): void {
    this.tokens.inc({ model, direction: 'input' }, counts.inputTokens);
    this.tokens.inc({ model, direction: 'output' }, counts.outputTokens);
    this.modelCost.inc({ model }, usdFromMicros(counts.costMicros));
  }

  private gaugeRuns(): void {
    const { catalogue } = this;
    new Gauge({
      name: 'ensemble_runs',
      help: 'Runs that have not ended: queued, running (executing), waiting and paused (parked), cancelling',
      labelNames: ['status'],
      registers: [this.registry],
      async collect() {
        const counts = await catalogue.openCounts();
        for (const status of RUN_STATUSES) {
          if (!isTerminal(status)) this.set({ status }, counts[status] ?? 0);
        }
      },
    });
  }

  private countCaches(): void {
    const { caches } = this;
    new Counter({
      name: 'ensemble_cache_reads_total',
      help: 'Reads of caches',
      labelNames: ['cache', 'result'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [cache, { hits, misses }] of caches.list()) {
          this.inc({ cache, result: 'hit' }, hits);
          this.inc({ cache, result: 'miss' }, misses);
        }
      },
    });
  }

  private counter<L extends string>(name: string, help: string, ...labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `ensemble_${name}`, help, labelNames, registers: [this.registry] });
  }

  private durations(name: string, help: string, label?: string): DurationMeter {
    return new DurationMeter(`ensemble_${name}`, help, label).registerAt(this.registry);
  }
}
