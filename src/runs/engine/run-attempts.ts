/** The attempts of one run that are under way in this process. */
import type { AgentPart, Turn } from '../../agents/agent.provider.js';
import { checkTurn } from '../../agents/outcome-check.js';
import { AppError } from '../../kernel/failure.js';
import type { Invocation } from '../domain/run.effects.js';
import type { Delta } from '../run.feed.js';
import type { AttemptReport } from './attempt-report.js';
import type { AttemptExecutor, AttemptOrder, OpenAttempt } from './attempt.executor.js';
import type { RunState } from '../domain/run.state.js';

/** Where attempts report to. */
export interface AttemptListener {
  readonly state: RunState;
  readonly namespace: string;
  reported(invocation: Invocation, report: AttemptReport): void;
  /** Resolves when the turn is durable. */
  recorded(invocation: Invocation, turn: Omit<Turn, 'turn'>): Promise<void>;
  streamed(delta: Delta): void;
}

export class RunAttempts {
  private readonly open = new Map<string, OpenAttempt>();

  constructor(
    private readonly executor: AttemptExecutor,
    private readonly listener: AttemptListener,
  ) {}

  get size(): number {
    return this.open.size;
  }

  /** Calls the agent of an open attempt. */
  start(invocation: Invocation): void {
    this.open.set(invocation.stepId, this.executor.start(this.orderOf(invocation)));
  }

  /** Aborts the attempt of a step; its report follows. */
  abort(stepId: string): void {
    this.open.get(stepId)?.abort();
  }

  abortAll(): void {
    for (const attempt of this.open.values()) attempt.abort();
  }

  /** Aborts everything and hears no report. */
  dropAll(): void {
    for (const attempt of this.open.values()) attempt.drop();
    this.open.clear();
  }

  private orderOf(invocation: Invocation): AttemptOrder {
    const { stepId, step, attempt } = invocation;
    const { state, namespace } = this.listener;
    const compiled = state.graph.steps[step.index];
    const deadline = deadlineOf(invocation, state);
    const outputSchema = compiled?.definition.outputSchema;
    return {
      request: {
        agentKey: compiled?.agentKey ?? '',
        input: step.input ?? null,
        namespace,
        idempotencyKey: `${state.runId}:${stepId}:${String(step.generation)}`,
        attempt,
        failures: step.failures,
        runId: state.runId,
        stepId,
      },
      journal: { turns: step.turns, record: (turn) => this.record(invocation, turn) },
      ...(deadline === undefined ? {} : { deadline }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      report: (report) => {
        this.open.delete(stepId);
        this.listener.reported(invocation, report);
      },
      stream: this.streamOf(invocation),
    };
  }

  private record(invocation: Invocation, turn: Omit<Turn, 'turn'>): Promise<void> {
    const checked = checkTurn(turn);
    const recorded = checked.ok
      ? this.listener.recorded(invocation, checked.value)
      : Promise.reject(new AppError(checked.failure));
    recorded.catch(() => undefined); // a provider that does not wait for it must not end the process
    return recorded;
  }

  private streamOf({ stepId, attempt }: Invocation): (part: AgentPart) => void {
    const { state } = this.listener;
    let n = 0;
    return (part) => {
      n += 1;
      const { type, ...data } = part;
      this.listener.streamed({
        type: type === 'delta' ? 'step.delta' : 'step.progress',
        runId: state.runId,
        stepId,
        attempt,
        n,
        afterSeq: state.lastSeq,
        data,
      });
    };
  }
}

/** The sooner of the attempt's own time limit and what is left of the step's. */
function deadlineOf({ step }: Invocation, state: RunState): AttemptOrder['deadline'] {
  const compiled = state.graph.steps[step.index];
  const startedAt = step.startedAt ?? 0;
  const limits = [
    compiled?.timeoutMs === undefined ? undefined : startedAt + compiled.timeoutMs,
    compiled?.totalTimeoutMs === undefined
      ? undefined
      : (step.firstStartedAt ?? startedAt) + compiled.totalTimeoutMs,
  ].filter((at) => at !== undefined);
  if (limits.length === 0) return undefined;
  const at = Math.min(...limits);
  return { at, timeoutMs: Math.max(0, at - startedAt) };
}
