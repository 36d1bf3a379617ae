/**
 * The fold from events to figures.
 *
 * Decided here: what each event counts as, and at which instant: a start when it started, an end when it ended, what
 * was spent when it was recorded. Events are folded once each and in the order of their run; types that are not known
 * count what they say was spent, and nothing else. Decided elsewhere: that an event is folded once (the projection).
 */
import { instantOf } from '../../kernel/time.js';
import type { LoggedEvent } from '../../runs/domain/logged-event.js';
import {
  modelOfTurn,
  type RunEvent,
  type RunEventMap,
  type RunEventType,
  type Spent,
} from '../../runs/domain/run.events.js';
import { floorTo } from './grain.js';
import { addFigures, countEnd, emptyFigures, type Figures, type Outcome } from './figures.js';
import { observe } from './histogram.js';
import type { RunHead } from './run-head.js';
import type { Series, SeriesGroup } from './series.js';

/** What must be remembered of a run that has not ended, to count its end. Instants are milliseconds since the epoch. */
export interface OpenRun {
  readonly createdAt: number;
  readonly startedAt?: number;
  /** Open attempts by step path. */
  readonly attempts: { readonly [path: string]: OpenAttempt };
}

interface OpenAttempt {
  readonly at: number;
  /** The model that answered last. */
  readonly model?: string;
}

/** The same while it is folded; `undefined` values are left out when it is stored. */
interface RunFold {
  createdAt: number;
  startedAt: number | undefined;
  readonly attempts: Map<string, OpenAttempt>;
}

/** Figures of one series in one minute. */
export interface MinuteFigures {
  readonly series: Series;
  /** The beginning of the minute. */
  readonly at: number;
  readonly figures: Figures;
}

/** Figures by group and minute, while events are folded into them: an event is counted once, whatever it counts in. */
export class Tally {
  private readonly groups = new Map<
    string,
    { readonly group: SeriesGroup; readonly minutes: Map<number, Figures> }
  >();

  /** The figures of a group in the minute of an instant, to be changed. */
  at(group: SeriesGroup, instantMs: number): Figures {
    let counted = this.groups.get(group.name);
    if (counted === undefined) {
      counted = { group, minutes: new Map<number, Figures>() };
      this.groups.set(group.name, counted);
    }
    const at = floorTo('minute', instantMs);
    let figures = counted.minutes.get(at);
    if (figures === undefined) counted.minutes.set(at, (figures = emptyFigures()));
    return figures;
  }

  /**
   * What was counted, each series of each minute once.
   *
   * @param admit the series that another is counted as
   */
  list(admit: (series: Series) => Series = (series) => series): readonly MinuteFigures[] {
    const listed = new Map<string, MinuteFigures>();
    for (const { group, minutes } of this.groups.values()) {
      for (const series of group.series().map(admit)) {
        for (const [at, figures] of minutes) {
          const name = `${at} ${series.text}`;
          let minute = listed.get(name);
          if (minute === undefined) listed.set(name, (minute = { series, at, figures: emptyFigures() }));
          addFigures(minute.figures, figures);
        }
      }
    }
    return [...listed.values()];
  }
}

/** How one run is folded on: the events of a page, one after the other. */
export class RunFolder {
  private readonly run: RunFold;
  private isOver = false;

  /** @param open what is remembered of it; undefined before its first event, and where it was opened again */
  constructor(
    private readonly head: RunHead,
    private readonly tally: Tally,
    open: OpenRun | undefined,
  ) {
    this.run = {
      createdAt: open?.createdAt ?? Number.NaN,
      startedAt: open?.startedAt,
      attempts: new Map(Object.entries(open?.attempts ?? {})),
    };
  }

  /** What is to be remembered; undefined once the run has ended. */
  get open(): OpenRun | undefined {
    if (this.isOver) return undefined;
    const { createdAt, startedAt, attempts } = this.run;
    return {
      createdAt,
      ...(startedAt !== undefined && { startedAt }),
      attempts: Object.fromEntries(attempts),
    };
  }

  /** Counts one event. Most say nothing that is counted beside their heads. */
  fold(event: LoggedEvent): void {
    const { head } = event;
    const at = instantOf(head.at);
    // An event of a run that had ended opens it again.
    this.isOver = false;
    if (Number.isNaN(this.run.createdAt)) this.run.createdAt = at;
    if (head.stepId === undefined) this.foldRun(event, at);
    else this.foldStep(event, head.stepId, at);
    if (event.maySpend) this.spend(event.event, at);
  }

  private foldRun(event: LoggedEvent, at: number): void {
    switch (event.head.type) {
      case 'run.queued':
      case 'run.forked':
        this.run.createdAt = at;
        this.everyRun(at, ({ counts }) => (counts.started += 1));
        break;
      case 'run.started':
        this.startRun(at);
        break;
      case 'run.completed':
        this.endRun('completed', at);
        break;
      case 'run.failed':
        this.endRun((event.event.data as RunEventMap['run.failed']).status, at);
        break;
      case 'run.cancelled':
        this.endRun('cancelled', at);
        break;
      default:
        break;
    }
  }

  private startRun(at: number): void {
    if (this.run.startedAt !== undefined) return;
    this.run.startedAt = at;
    const waitedMs = Math.max(0, at - this.run.createdAt);
    this.everyRun(at, ({ counts, queues }) => {
      counts.queueMs += waitedMs;
      observe(queues, waitedMs);
    });
  }

  private endRun(outcome: Outcome, at: number): void {
    const { startedAt } = this.run;
    const durationMs = startedAt === undefined ? undefined : Math.max(0, at - startedAt);
    this.everyRun(at, (figures) => {
      countEnd(figures, outcome, durationMs);
    });
    for (const [path, attempt] of this.run.attempts)
      this.endAttempt(stepIdOf(path), attempt, 'cancelled', at);
    // Opened again it is counted as if nothing of it were remembered, wherever a page ends.
    this.run.attempts.clear();
    this.run.startedAt = undefined;
    this.run.createdAt = Number.NaN;
    this.isOver = true;
  }

  private foldStep(event: LoggedEvent, stepId: string, at: number): void {
    const { head } = event;
    const path = head.path ?? stepId;
    const type = unitType(head.type);
    // Of a step with items or iterations those are the attempts, not the step around them.
    if (head.type.startsWith('step.') && type !== 'step.skipped' && this.head.step(stepId).isRepeated) return;
    switch (type) {
      case 'step.started':
        this.run.attempts.set(path, { at });
        this.everyStep(stepId, at, ({ counts }) => (counts.started += 1));
        break;
      case 'turn.completed':
        this.noteModel(path, modelOfTurn(event.event.data as RunEventMap['turn.completed']));
        break;
      case 'step.completed':
        this.close(path, stepId, 'completed', at);
        break;
      case 'step.failed':
        this.close(path, stepId, 'failed', at);
        break;
      case 'step.retrying':
        this.retry(path, stepId, at);
        break;
      case 'step.interrupted':
        this.close(path, stepId, 'interrupted', at);
        break;
      case 'step.cancelled':
        this.close(path, stepId, 'cancelled', at);
        break;
      case 'step.skipped':
        this.everyStep(stepId, at, ({ counts }) => (counts.skipped += 1));
        break;
      default:
        break;
    }
  }

  private noteModel(path: string, model: string | undefined): void {
    const attempt = this.run.attempts.get(path);
    if (attempt !== undefined && model !== undefined) this.run.attempts.set(path, { ...attempt, model });
  }

  /** An attempt that failed and is followed by another counts as a retry, not as a failure. */
  private retry(path: string, stepId: string, at: number): void {
    const attempt = this.run.attempts.get(path);
    this.run.attempts.delete(path);
    const count = (figures: Figures): void => {
      figures.counts.retries += 1;
      if (attempt === undefined) return;
      const durationMs = Math.max(0, at - attempt.at);
      figures.counts.durationMs += durationMs;
      observe(figures.durations, durationMs);
    };
    this.everyStep(stepId, at, count, attempt?.model);
    this.everyRun(at, ({ counts }) => (counts.retries += 1));
  }

  private close(path: string, stepId: string, outcome: Outcome, at: number): void {
    const attempt = this.run.attempts.get(path);
    this.run.attempts.delete(path);
    this.endAttempt(stepId, attempt, outcome, at);
  }

  /** How long an attempt took that was interrupted or cancelled says nothing of the agent. */
  private endAttempt(stepId: string, attempt: OpenAttempt | undefined, outcome: Outcome, at: number): void {
    const isWhole = attempt !== undefined && (outcome === 'completed' || outcome === 'failed');
    const durationMs = isWhole ? Math.max(0, at - attempt.at) : undefined;
    this.everyStep(stepId, at, (figures) => countEnd(figures, outcome, durationMs), attempt?.model);
  }

  /** Any event may say what was spent. What a sub-run spends is counted there, and not again where it is the work of a step. */
  private spend(event: RunEvent, at: number): void {
    if (event.type === 'run.spent') return;
    if (event.stepId !== undefined && this.head.step(event.stepId).isSubRun) return;
    const { usage, costMicros = 0 } = event.data as Spent;
    if (usage === undefined && costMicros === 0) return;
    const add = ({ counts }: Figures): void => {
      counts.inputTokens += usage?.inputTokens ?? 0;
      counts.outputTokens += usage?.outputTokens ?? 0;
      counts.costMicros += costMicros;
    };
    this.everyRun(at, add);
    if (event.stepId !== undefined) this.everyStep(event.stepId, at, add, this.modelOf(event));
  }

  /** Of a turn the model that answered it; of an outcome that of its attempt, which is closed by now. */
  private modelOf(event: RunEvent): string | undefined {
    if (event.type !== 'turn.completed') return undefined;
    return this.run.attempts.get(event.path ?? event.stepId ?? '')?.model;
  }

  private everyRun(at: number, change: (figures: Figures) => void): void {
    change(this.tally.at(this.head.group, at));
  }

  private everyStep(stepId: string, at: number, change: (figures: Figures) => void, model?: string): void {
    change(this.tally.at(this.head.step(stepId).group, at));
    if (model !== undefined) change(this.tally.at(this.head.modelGroup(model), at));
  }
}

/** Items and iterations are counted as steps are. */
export function unitType(type: RunEventType): RunEventType {
  if (type.startsWith('step.')) return type;
  return type.replace(/^(?:item|iteration)\./, 'step.') as RunEventType;
}

/** The id of the step that a path leads to: its last part, without the number of an item or iteration. */
function stepIdOf(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\[\d+\]$/, '');
}
