import { existsSync } from 'node:fs';

import { EvaluatorChild, EvaluatorDied, MAX_LINE_BYTES, type EvaluatorFiles } from './evaluator-child.js';
import { answerSchema, resultSchema, type EvaluatorResult } from './strudel.schema.js';

const MAX_EVENTS = 20_000;
/** Only a program that tampers with the language itself gets its evaluation to give something else than a result. */
const BROKEN = 'The program changed what its evaluation relies on';
const START_LIMIT_MS = 15_000;

/** One program to evaluate. */
export interface EvaluationJob {
  readonly code: string;
  readonly cycles: number;
  readonly timeLimitMs: number;
}

/** `died`: the process ended, or said what nobody understands; another evaluation starts a new one. */
export type Evaluation =
  | { readonly kind: 'result'; readonly result: EvaluatorResult }
  | { readonly kind: 'died'; readonly reason: string; readonly complaint: string }
  | { readonly kind: 'aborted' };

/** How long the evaluator's process may overrun, and how long it is kept without work. */
export interface EvaluatorPatience {
  /** Beyond the job's own limit, which the process keeps itself where it can. @default 200 */
  readonly overrunMs: number;
  /** @default 30,000 */
  readonly idleMs: number;
}

const PATIENCE: EvaluatorPatience = { overrunMs: 200, idleMs: 30_000 };

/**
 * The evaluator's process, started when it is first needed and again after it died.
 *
 * Jobs are done one at a time, in the order in which they came. An aborted job that waits is not done; an aborted
 * job under way costs the process, and so does one that is stopped at a limit. Without work the process is ended.
 */
export class StrudelEvaluator {
  private child: EvaluatorChild | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private idleTimer: NodeJS.Timeout | undefined;
  private nextId = 1;

  constructor(
    private readonly files: EvaluatorFiles,
    private readonly patience: EvaluatorPatience = PATIENCE,
  ) {}

  /** Whether there is an evaluator to start: built, with the optional packages. */
  get isInstalled(): boolean {
    return existsSync(this.files.entry) && existsSync(this.files.bundle);
  }

  /** The process under way, for those who watch it; undefined when none is. */
  get pid(): number | undefined {
    return this.child?.isAlive === true ? this.child.pid : undefined;
  }

  /** Evaluates one program. Never rejects. */
  evaluate(job: EvaluationJob, signal: AbortSignal): Promise<Evaluation> {
    const turn = this.last.then(() => this.takeTurn(job, signal));
    this.last = turn;
    return untilAborted(turn, signal);
  }

  /** Ends the process; resolves when it has ended. What is under way answers `died`. */
  async stop(): Promise<void> {
    clearTimeout(this.idleTimer);
    this.child?.kill();
    await this.child?.ended;
  }

  private async takeTurn(job: EvaluationJob, signal: AbortSignal): Promise<Evaluation> {
    if (signal.aborted) return { kind: 'aborted' };
    clearTimeout(this.idleTimer);
    try {
      return await this.run(job, await this.startedChild(), signal);
    } catch (error) {
      return died(error);
    } finally {
      this.idleTimer = setTimeout(() => void this.stop(), this.patience.idleMs).unref();
    }
  }

  private async startedChild(): Promise<EvaluatorChild> {
    if (this.child?.isAlive === true) return this.child;
    const child = new EvaluatorChild(this.files);
    this.child = child;
    await within(START_LIMIT_MS, child, child.read());
    return child;
  }

  private async run(job: EvaluationJob, child: EvaluatorChild, signal: AbortSignal): Promise<Evaluation> {
    if (signal.aborted) return { kind: 'aborted' };
    const kill = (): void => child.kill();
    signal.addEventListener('abort', kill);
    try {
      const id = this.nextId++;
      const request = JSON.stringify({ id, ...job, maxEvents: MAX_EVENTS, maxBytes: MAX_LINE_BYTES });
      const line = await within(job.timeLimitMs + this.patience.overrunMs, child, child.ask(request));
      const result = line === undefined ? { limit: 'time' as const } : readAnswer(line, id);
      if ('limit' in result) child.kill();
      return { kind: 'result', result };
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }
}

/** What a process says, or undefined when it had to be killed because it said nothing in time. */
async function within(
  limitMs: number,
  child: EvaluatorChild,
  line: Promise<string>,
): Promise<string | undefined> {
  const { promise: expired, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    child.kill();
    resolve(undefined);
  }, limitMs);
  try {
    return await Promise.race([line, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function readAnswer(line: string, id: number): EvaluatorResult {
  const answer = answerSchema.parse(JSON.parse(line));
  if (answer.id !== id) throw new EvaluatorDied('it answered another question');
  const result = resultSchema.safeParse(answer.result);
  return result.success
    ? result.data
    : { errors: [{ message: BROKEN, line: null, column: null }], events: [] };
}

function died(error: unknown): Evaluation {
  if (error instanceof EvaluatorDied)
    return { kind: 'died', reason: error.message, complaint: error.complaint };
  return { kind: 'died', reason: 'it could not be started or understood', complaint: String(error) };
}

function untilAborted(turn: Promise<Evaluation>, signal: AbortSignal): Promise<Evaluation> {
  return new Promise((resolve) => {
    const abort = (): void => resolve({ kind: 'aborted' });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    void turn.then((evaluation) => {
      signal.removeEventListener('abort', abort);
      resolve(evaluation);
    });
  });
}
