import { Injectable, Logger } from '@nestjs/common';

import {
  HandedOver,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type Journal,
} from '../../agents/agent.provider.js';
import { AgentCaller } from '../../agents/agent-caller.js';
import type { AgentPin } from '../../agents/domain/agent.js';
import { failedBy, promised } from '../../agents/outcome-check.js';
import { AppError, failureOf } from '../../kernel/failure.js';
import { boundedValue } from '../domain/kept.js';
import { runErrors } from '../domain/run.errors.js';
import { spentOf, type Spent } from '../domain/run.events.js';
import type { Json } from '../../kernel/json.js';
import { JsonSchemaService } from '../../platform/json-schema/json-schema.service.js';
import { isRecordAway } from '../../platform/ports/record-away.js';
import { ArtifactService } from '../artifact.service.js';
import type { AttemptDeadline } from '../domain/attempt-deadline.js';
import type { AttemptReport } from './attempt-report.js';
import { TimerService, type Timer } from './timer.service.js';

/** How long to wait before the record is asked again when it did not answer. */
const RECORD_RETRY_MS = 250;

/** One attempt to carry out. */
export interface AttemptOrder {
  readonly agent: AgentPin;
  readonly request: Omit<AgentRequest, 'settings'>;
  readonly journal: Journal;
  /** What a completed output must satisfy. */
  readonly outputSchema?: Json;
  readonly deadline?: AttemptDeadline;
  /** How long nothing may stream out, in milliseconds. */
  readonly idleTimeoutMs?: number;
  /** Called once: with the outcome, or `aborted` when `abort` ended it. */
  report(report: AttemptReport): void;
  /** Called for each part that streams out. */
  stream(part: AgentPart): void;
}

/** An attempt under way. */
export interface OpenAttempt {
  /** Ends the attempt: the provider's signal is aborted, its outcome becomes `aborted`. */
  abort(): void;
  /** Ends the attempt without any report: the claim is lost. */
  drop(): void;
}

/** Calls agents: one order, one outcome, whatever a provider throws or however long it takes. */
@Injectable()
export class AttemptExecutor {
  private readonly logger = new Logger(AttemptExecutor.name);

  constructor(
    private readonly caller: AgentCaller,
    private readonly artifacts: ArtifactService,
    private readonly schemas: JsonSchemaService,
    private readonly timers: TimerService,
  ) {}

  /** Begins an attempt. Never throws. */
  start(order: AttemptOrder): OpenAttempt {
    const attempt = new RunningAttempt(order, this.timers);
    void this.carryOut(order, attempt);
    return attempt;
  }

  private async carryOut(order: AttemptOrder, attempt: RunningAttempt): Promise<void> {
    try {
      const outcome = await this.invoke(order, attempt);
      const checked = withBoundedOutput(this.checkSchema(order, outcome));
      attempt.end(await this.keepArtifacts(order.request, checked, attempt));
    } catch (error) {
      if (!AppError.is(error) && !attempt.signal.aborted)
        this.logger.error({ msg: 'a provider threw', runId: order.request.runId, error });
      attempt.end(failedBy(error));
    }
  }

  private checkSchema({ outputSchema }: AttemptOrder, outcome: AgentOutcome): AgentOutcome {
    if (outputSchema === undefined) return outcome;
    return promised(outcome, (output) => this.schemas.validate(outputSchema, output));
  }

  /** Artifacts are durable before the outcome that refers to them; while the record is away the outcome waits for it. */
  private async keepArtifacts(
    { namespace, path = '' }: AttemptOrder['request'],
    outcome: AgentOutcome,
    attempt: RunningAttempt,
  ): Promise<Exclude<AttemptReport, { readonly status: 'aborted' }>> {
    if (outcome.status !== 'completed') return outcome;
    const { artifacts, ...rest } = outcome;
    if (artifacts === undefined || artifacts.length === 0) return rest;
    for (;;) {
      try {
        return { ...rest, artifacts: await this.artifacts.keep(namespace, path, artifacts) };
      } catch (error) {
        if (attempt.hasEnded || attempt.signal.aborted || !isRecordAway(error)) throw error;
        await new Promise<void>((resolve) => void this.timers.after(RECORD_RETRY_MS, resolve));
      }
    }
  }

  private invoke(order: AttemptOrder, attempt: RunningAttempt): Promise<AgentOutcome> {
    const { agent, journal, outputSchema } = order;
    const request = { ...order.request, ...(outputSchema !== undefined && { outputSchema }) };
    return this.caller.call({
      agent,
      request,
      context: { signal: attempt.signal, journal },
      onPart: (part) => {
        attempt.isHeard();
        order.stream(part);
      },
      isOver: () => attempt.hasEnded,
    });
  }
}

/** An output that is too large to be kept is a failure that is not tried again; what was spent is spent. */
function withBoundedOutput(outcome: AgentOutcome): AgentOutcome {
  const bounded = outcome.status === 'completed' ? boundedValue(outcome.output) : undefined;
  if (bounded?.ok !== false) return outcome;
  return { status: 'failed', failure: bounded.failure, ...spentOf(outcome as Spent) };
}

class RunningAttempt implements OpenAttempt {
  hasEnded = false;
  private readonly controller = new AbortController();
  private readonly timer: Timer | undefined;
  private idleTimer: Timer | undefined;

  constructor(
    private readonly order: AttemptOrder,
    private readonly timers: TimerService,
  ) {
    const { deadline } = order;
    if (deadline !== undefined)
      this.timer = timers.at(deadline.at, () => {
        this.timeOut(`the attempt took longer than ${deadline.timeoutMs} ms`, {
          timeoutMs: deadline.timeoutMs,
        });
      });
    this.isHeard();
  }

  /** Something streamed out: the idle time begins anew. */
  isHeard(): void {
    const { idleTimeoutMs } = this.order;
    if (idleTimeoutMs === undefined || this.hasEnded) return;
    this.idleTimer?.cancel();
    this.idleTimer = this.timers.after(idleTimeoutMs, () => {
      this.timeOut(`nothing came out of the attempt for ${idleTimeoutMs} ms`, { idleTimeoutMs });
    });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(): void {
    this.controller.abort();
  }

  drop(): void {
    this.close();
    this.controller.abort(new HandedOver());
  }

  end(outcome: Exclude<AttemptReport, { readonly status: 'aborted' }>): void {
    if (this.hasEnded) return;
    this.close();
    const isAborted = this.controller.signal.aborted && outcome.status === 'failed';
    this.order.report(isAborted ? { status: 'aborted' } : outcome);
  }

  private timeOut(message: string, details: { readonly [limit: string]: number }): void {
    if (this.hasEnded) return;
    this.close();
    const failure = failureOf(runErrors['step.timed-out'], message, { details });
    this.controller.abort(new AppError(failure));
    this.order.report({ status: 'failed', failure });
  }

  private close(): void {
    this.hasEnded = true;
    this.timer?.cancel();
    this.idleTimer?.cancel();
  }
}
