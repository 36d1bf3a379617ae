/**
 * The trace of a run that has ended, made from its log: run, steps, attempts, model calls.
 *
 * Decided here: spans and their attributes, by the GenAI semantic conventions of OpenTelemetry where they have a word.
 * Inputs, outputs and messages are not among them. Decided elsewhere: the names of spans (kernel/trace-context.ts),
 * how they are sent (otlp.ts).
 */
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';
import { attemptSpan, spanIdOf } from '../../kernel/trace-context.js';
import type { Failure } from '../../kernel/failure.js';
import { modelOfTurn, type RunEvent, type RunEventMap } from '../../runs/domain/run.events.js';
import { unitType } from './fold.js';
import { agentsOf, workflowOf } from './run-head.js';

export type Attribute = string | number | readonly string[];

export interface Span {
  readonly spanId: string;
  readonly parentId?: string;
  readonly name: string;
  /** `client`: somebody else was asked. */
  readonly kind: 'internal' | 'client';
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: { readonly [name: string]: Attribute };
  /** What it failed with. */
  readonly error?: string;
}

/** A span whose end is not known yet. */
interface OpenSpan {
  readonly span: Omit<Span, 'endMs' | 'error'>;
  /** Where the next model call within it began. */
  lastMs: number;
}

const RUN_SPAN = 'run';

/** The spans of a log, the run's first; empty when it does not begin with the first event or has not ended. */
export function spansOf(namespace: string, events: readonly RunEvent[]): readonly Span[] {
  const [first] = events;
  const end = events.findLast(({ type }) => /^run\.(completed|failed|cancelled)$/.test(type));
  if (first?.seq !== 1 || end === undefined) return [];
  return new TraceFold(namespace, first, end).fold(events);
}

class TraceFold {
  private readonly spans: Span[] = [];
  private readonly steps = new Map<string, OpenSpan>();
  /** How often each step was opened, by its path. */
  private readonly opened = new Map<string, number>();
  private readonly attempts = new Map<string, OpenSpan>();
  private readonly agents: ReadonlyMap<string, string>;
  private readonly runId: string;
  private readonly endMs: number;

  constructor(
    private readonly namespace: string,
    private readonly first: RunEvent,
    private readonly last: RunEvent,
  ) {
    this.runId = first.runId;
    this.endMs = Date.parse(last.at);
    this.agents = agentsOf(first);
  }

  fold(events: readonly RunEvent[]): readonly Span[] {
    this.addRun();
    for (const event of events) if (event.stepId !== undefined) this.foldStep(event, event.stepId);
    for (const path of this.attempts.keys()) this.endAttempt(path, this.endMs, undefined);
    for (const path of this.steps.keys()) this.endStep(path, this.endMs, undefined);
    return this.spans;
  }

  private addRun(): void {
    const workflow = workflowOf(this.first);
    const error = failureOf(this.last);
    this.spans.push({
      spanId: spanIdOf(this.runId, RUN_SPAN),
      name: `run ${workflow}`,
      kind: 'internal',
      startMs: Date.parse(this.first.at),
      endMs: this.endMs,
      attributes: {
        'ensemble.run.id': this.runId,
        'ensemble.namespace': this.namespace,
        'ensemble.workflow': workflow,
        'ensemble.run.end': this.last.type.slice('run.'.length),
        ...(error !== undefined && { 'error.type': error.code }),
      },
      ...(error !== undefined && { error: error.message }),
    });
  }

  private foldStep(event: RunEvent, stepId: string): void {
    const path = event.path ?? stepId;
    const at = Date.parse(event.at);
    switch (unitType(event.type)) {
      case 'step.started':
        this.openStep(path, stepId, at);
        this.openAttempt(path, stepId, { at, number: event.attempt ?? 1 });
        break;
      case 'turn.completed':
        this.addModelCall(path, event.data as RunEventMap['turn.completed'], event.seq, at);
        break;
      case 'step.retrying':
      case 'step.interrupted':
        this.endAttempt(path, at, failureOf(event));
        break;
      case 'step.completed':
      case 'step.failed':
      case 'step.cancelled':
        this.endAttempt(path, at, failureOf(event));
        this.endStep(path, at, failureOf(event));
        break;
      default:
        break;
    }
  }

  private openStep(path: string, stepId: string, at: number): void {
    if (this.steps.has(path)) return;
    // a step that a retry of the run carries out again has a span of its own
    const nth = (this.opened.get(path) ?? 0) + 1;
    this.opened.set(path, nth);
    const span = {
      spanId: spanIdOf(this.runId, nth === 1 ? `step ${path}` : `step ${path} ${String(nth)}`),
      parentId: spanIdOf(this.runId, RUN_SPAN),
      name: `step ${path}`,
      kind: 'internal' as const,
      startMs: at,
      attributes: { 'ensemble.step.id': stepId, 'ensemble.step.path': path },
    };
    this.steps.set(path, { span, lastMs: at });
  }

  private openAttempt(
    path: string,
    stepId: string,
    { at, number }: { readonly at: number; readonly number: number },
  ): void {
    const agent = this.agents.get(stepId);
    const span = {
      spanId: spanIdOf(this.runId, attemptSpan(path, number)),
      parentId: this.steps.get(path)?.span.spanId ?? spanIdOf(this.runId, `step ${path}`),
      name: agent === undefined ? `attempt ${path}` : `invoke_agent ${agent}`,
      kind: 'client' as const,
      startMs: at,
      attributes: {
        'ensemble.attempt': number,
        ...(agent !== undefined && { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent }),
      },
    };
    this.attempts.set(path, { span, lastMs: at });
  }

  /** Of a turn whose body is elsewhere the model is known, and not what it was asked for. */
  private addModelCall(path: string, turn: RunEventMap['turn.completed'], seq: number, at: number): void {
    const attempt = this.attempts.get(path);
    const model = modelOfTurn(turn);
    if (attempt === undefined || model === undefined) return;
    const { usage, body = null } = turn;
    const finishReason = textIn(body, 'finishReason');
    this.spans.push({
      spanId: spanIdOf(this.runId, `event ${seq}`),
      parentId: attempt.span.spanId,
      name: `chat ${model}`,
      kind: 'client',
      startMs: attempt.lastMs,
      endMs: at,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': textIn(body, 'requestedModel') ?? model,
        'gen_ai.response.model': model,
        ...(usage?.inputTokens !== undefined && { 'gen_ai.usage.input_tokens': usage.inputTokens }),
        ...(usage?.outputTokens !== undefined && { 'gen_ai.usage.output_tokens': usage.outputTokens }),
        ...(finishReason !== undefined && { 'gen_ai.response.finish_reasons': [finishReason] }),
      },
    });
    attempt.lastMs = at;
  }

  private endAttempt(path: string, at: number, error: Failure | undefined): void {
    this.end(this.attempts, path, at, error);
  }

  private endStep(path: string, at: number, error: Failure | undefined): void {
    this.end(this.steps, path, at, error);
  }

  private end(open: Map<string, OpenSpan>, path: string, endMs: number, error: Failure | undefined): void {
    const found = open.get(path);
    if (found === undefined) return;
    open.delete(path);
    const { span } = found;
    if (error === undefined) this.spans.push({ ...span, endMs });
    else {
      const attributes = { ...span.attributes, 'error.type': error.code };
      this.spans.push({ ...span, endMs, attributes, error: error.message });
    }
  }
}

function failureOf({ data }: RunEvent): Failure | undefined {
  return (data as { readonly failure?: Failure }).failure;
}

function textIn(body: Json, key: string): string | undefined {
  const value = isJsonObject(body) ? getOwn(body, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}
