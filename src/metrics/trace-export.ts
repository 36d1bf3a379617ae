import { Injectable, Logger } from '@nestjs/common';

import { traceIdOf } from '../kernel/trace-context.js';
import { TraceConfig } from '../platform/config/app.config.js';
import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { productVersion } from '../platform/lifecycle/product-version.js';
import type { EventHead } from '../runs/domain/logged-event.js';
import type { RunEvent } from '../runs/domain/run.events.js';
import { LogCursorStore } from '../runs/log-cursor.store.js';
import type { LogConsumer, LogFollower } from '../runs/log-follower.js';
import { LogFollowers } from '../runs/log-followers.js';
import { RunLog, type LogPage } from '../runs/run.log.js';
import { RunStore } from '../runs/run.store.js';
import { otlpOf, type Trace } from './domain/otlp.js';
import { spansOf } from './domain/trace.js';

const EVENTS_IN_PAGE = 1_000;
const SPANS_IN_REQUEST = 500;
const REQUEST_TIMEOUT_MS = 10_000;

/** Answers that say that the same request may be taken later (OTLP §OTLP/HTTP response). */
const RETRYABLE = [429, 502, 503, 504];

/**
 * Sends a trace of each run that has ended, made from its log, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set. The engine
 * knows nothing of it. A collector that is away is waited for, so a trace may be sent twice, with the same names.
 */
@Injectable()
export class TraceExport implements LogConsumer, Duty {
  readonly name = 'traces';
  private readonly logger = new Logger(TraceExport.name);
  /** Absent where there is nobody to send to. */
  private readonly follower: LogFollower | undefined;
  private reached: string | undefined;

  constructor(
    private readonly config: TraceConfig,
    private readonly cursors: LogCursorStore,
    private readonly runs: RunStore,
    private readonly log: RunLog,
    followers: LogFollowers,
    roster: DutyRoster,
  ) {
    if (config.endpoint === undefined) return;
    this.follower = followers.create(this);
    roster.register(this);
  }

  /** Where it begins the first time is known before the first request comes in. */
  async start(): Promise<void> {
    await this.cursor();
    this.follower?.start();
  }

  async stop(): Promise<void> {
    await this.follower?.stop();
  }

  wake(): void {
    this.follower?.look();
  }

  forget(): void {
    this.reached = undefined;
  }

  async peek(): Promise<string> {
    return (await this.cursors.find(this.name)) ?? (await this.log.head());
  }

  /** The first time it begins with what happens from then on. */
  async cursor(): Promise<string> {
    if (this.reached !== undefined) return this.reached;
    const found = await this.cursors.find(this.name);
    this.reached = found ?? (await this.log.head());
    if (found === undefined) await this.cursors.move(this.name, this.reached);
    return this.reached;
  }

  async take(_from: string, { entries, cursor }: LogPage): Promise<void> {
    const ended = new Map<string, string>();
    for (const { namespace, event } of entries) {
      if (isEnd(event.head)) ended.set(event.head.runId, namespace);
    }
    for (const [runId, namespace] of ended) await this.sendRun(namespace, runId);
    await this.cursors.move(this.name, cursor);
    this.reached = cursor;
  }

  private async sendRun(namespace: string, runId: string): Promise<void> {
    const spans = spansOf(namespace, await this.readAll(namespace, runId));
    const traceId = traceIdOf(runId);
    for (let first = 0; first < spans.length; first += SPANS_IN_REQUEST) {
      await this.send({ traceId, spans: spans.slice(first, first + SPANS_IN_REQUEST) });
    }
  }

  private async readAll(namespace: string, runId: string): Promise<readonly RunEvent[]> {
    const events: RunEvent[] = [];
    for (let more = true; more;) {
      const page = await this.runs.read(namespace, runId, { afterSeq: events.length, limit: EVENTS_IN_PAGE });
      events.push(...(page?.events ?? []).map(({ event }) => event));
      more = page?.more === true && page.events.length > 0;
    }
    return events;
  }

  /** Rejects when the collector may take it later; what it refuses for good is told and left out. */
  private async send(trace: Trace): Promise<void> {
    const { endpoint = '', headers, serviceName } = this.config;
    const body = otlpOf([trace], { name: serviceName, version: productVersion() });
    const answer = await fetch(`${endpoint.replace(/\/+$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    if (RETRYABLE.includes(answer.status)) throw new Error(`the collector answered ${String(answer.status)}`);
    if (answer.ok) return;
    this.logger.warn({ msg: 'the collector refused a trace', traceId: trace.traceId, status: answer.status });
  }
}

function isEnd({ type }: EventHead): boolean {
  return type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled';
}
