/** The attempts of one run that are under way in this process. */
import type { AgentPart, Turn } from '../../agents/agent.provider.js';
import { checkTurn } from '../../agents/outcome-check.js';
import { AppError } from '../../kernel/failure.js';
import { BlobRef, type Contents } from '../domain/kept.js';
import { pinOf } from '../domain/pinned-agent.js';
import type { Invocation } from '../domain/run.effects.js';
import type { Delta } from '../run.feed.js';
import { deadlineOf } from '../domain/attempt-deadline.js';
import type { AttemptReport } from './attempt-report.js';
import type { AttemptExecutor, AttemptOrder, OpenAttempt } from './attempt.executor.js';
import type { RunState } from '../domain/run.state.js';

/** Where attempts report to. */
export interface AttemptListener {
  readonly state: RunState;
  readonly namespace: string;
  /** What attempts that are started need is at hand. */
  readonly contents: Contents;
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
    this.open.set(invocation.path, this.executor.start(this.orderOf(invocation)));
  }

  /** Aborts the attempt of a unit; its report follows. */
  abort(path: string): void {
    this.open.get(path)?.abort();
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
    const { path, unit, attempt } = invocation;
    const { state, namespace, contents } = this.listener;
    const { work, outputSchema, idleTimeoutMs } = unit.step;
    const deadline = deadlineOf(unit);
    return {
      agent: pinOf(state.queued.manifest, work),
      request: {
        agentKey: work.kind === 'agent' ? work.agentKey : '',
        input: contents.read(unit.input ?? null),
        namespace,
        idempotencyKey: `${state.runId}:${path}:${String(unit.generation)}`,
        attempt,
        failures: unit.failures,
        runId: state.runId,
        stepId: unit.step.id,
        path,
      },
      journal: {
        turns: unit.turns.map((turn) => ({ ...turn, body: contents.read(turn.body) })),
        record: (turn) => this.record(invocation, turn),
      },
      ...(deadline === undefined ? {} : { deadline }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      report: (report) => {
        this.open.delete(path);
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

  private streamOf({ path, unit, attempt }: Invocation): (part: AgentPart) => void {
    const { state } = this.listener;
    const stepId = unit.step.id;
    let n = 0;
    return (part) => {
      n += 1;
      const { type, ...data } = part;
      this.listener.streamed({
        type: type === 'delta' ? 'step.delta' : 'step.progress',
        runId: state.runId,
        stepId,
        ...(path === stepId ? {} : { path }),
        attempt,
        n,
        afterSeq: state.lastSeq,
        data,
      });
    };
  }
}

/** What has to be at hand before an attempt can be started. */
export function readByAttempt({ unit: { input, turns } }: Invocation): readonly BlobRef[] {
  return [input, ...turns.map(({ body }) => body)].filter((kept) => BlobRef.is(kept));
}
