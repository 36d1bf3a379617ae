/**
 * Starts runs at a steady pace, each under a key of its own, and sends a start again, under the same key, until it is
 * answered: what clients are told to do.
 */
import { setTimeout as delay } from 'node:timers/promises';

import type { StartEvidence } from '../support/invariants/evidence.js';
import { MIXED_SHAPES, startOf, type Shape } from './shapes.js';

export interface LoadOptions {
  readonly perSecond: number;
  /** After so many starts it ends by itself. @default without end */
  readonly runs?: number;
  /** @default all of them in turn */
  readonly shapes?: readonly Shape[];
  /** What keys begin with. @default run */
  readonly prefix?: string;
  /** A pace that the service does not keep up with is no use: so many starts are unanswered at most. @default 200 */
  readonly atOnce?: number;
}

/** How long a client waits for an answer, and between two tries. */
const ANSWER_MS = 10_000;
const AGAIN_MS = 250;

/** Beyond it a start counts as refused. */
const PATIENCE_MS = 300_000;

export class Load {
  /** Starts that were answered, in the order of the answers. */
  readonly accepted: StartEvidence[] = [];
  /** Keys that no try was answered with a run. */
  readonly refused: string[] = [];
  /** How long answers took, of each try that was answered with a run, in milliseconds. */
  readonly answerMs: number[] = [];
  /** Tries that were not answered with a run, by what came in its place. */
  readonly failures = new Map<string, number>();
  private readonly pending = new Set<Promise<void>>();
  private isStopped = false;
  /** Not once the service has said that a start is no good, or nobody waits. */
  private mayTryAgain = true;
  private pace: Promise<void> = Promise.resolve();
  private started = 0;

  constructor(
    private readonly urlOf: () => string,
    private readonly options: LoadOptions,
  ) {}

  /** Begins to start runs. */
  start(): this {
    this.pace = this.run();
    return this;
  }

  /** Whether there are starts that have not been answered, or are still to be sent. */
  get isUnderWay(): boolean {
    const { runs = Infinity } = this.options;
    return this.pending.size > 0 || (!this.isStopped && this.started < runs);
  }

  /** Starts no more; resolves when every start has been answered. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.settle();
  }

  /** Gives up what has not been answered: the test is over. */
  leave(): void {
    this.isStopped = true;
    this.mayTryAgain = false;
  }

  /** Resolves when as many runs as were asked for are started. */
  async settle(): Promise<void> {
    await this.pace;
    await Promise.all(this.pending);
  }

  private async run(): Promise<void> {
    const { perSecond, runs = Infinity, atOnce = 200 } = this.options;
    const begun = performance.now();
    while (!this.isStopped && this.started < runs) {
      const dueMs = begun + (this.started * 1_000) / perSecond - performance.now();
      if (dueMs > 0) await delay(dueMs);
      while (this.pending.size >= atOnce) await Promise.race(this.pending);
      this.begin(this.started);
      this.started += 1;
    }
  }

  private begin(n: number): void {
    const one = this.startOne(n).finally(() => this.pending.delete(one));
    this.pending.add(one);
  }

  private async startOne(n: number): Promise<void> {
    const { shapes = MIXED_SHAPES, prefix = 'run' } = this.options;
    const shape = shapes[n % shapes.length] ?? 'chain';
    const key = `${prefix}-${n}`;
    const body = JSON.stringify(startOf(shape, n));
    const end = performance.now() + PATIENCE_MS;
    let runId = await this.tryOnce(key, body);
    while (runId === undefined && this.mayTryAgain && performance.now() < end) {
      await delay(AGAIN_MS);
      runId = await this.tryOnce(key, body);
    }
    if (runId === undefined) this.refused.push(key);
    else this.accepted.push({ runId, key });
  }

  /** The id of the run that a start is answered with. */
  private async tryOnce(key: string, body: string): Promise<string | undefined> {
    const before = performance.now();
    try {
      const answer = await fetch(`${this.urlOf()}/api/v1/runs`, {
        method: 'POST',
        // A connection that is kept would look like one left over.
        headers: { 'content-type': 'application/json', 'idempotency-key': key, connection: 'close' },
        body,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const text = await answer.text();
      if (answer.status === 202 || answer.status === 200 || answer.status === 201) {
        this.answerMs.push(performance.now() - before);
        return (JSON.parse(text) as { readonly id: string }).id;
      }
      this.note(`${answer.status} ${text.slice(0, 200)}`);
      if (answer.status < 500 && answer.status !== 409 && answer.status !== 429) this.mayTryAgain = false;
    } catch (error) {
      this.note(error instanceof Error ? error.name : 'unknown');
    }
    return undefined;
  }

  private note(what: string): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
  }
}
