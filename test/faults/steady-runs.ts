/** Small runs at a steady pace, each waited for: how long they take while something else goes on. */
import { setTimeout as delay } from 'node:timers/promises';

import type { RunView } from '../../src/runs/domain/view.js';
import type { Api } from '../support/api.js';

export class SteadyRuns {
  /** From the request to the answer with the end of the run, in milliseconds. */
  readonly tookMs: number[] = [];
  /** Runs in the order of their ends. */
  readonly runIds: string[] = [];
  /** What did not complete. */
  readonly wrong: unknown[] = [];
  private readonly pending = new Set<Promise<void>>();
  private isStopped = false;
  private pace: Promise<void> = Promise.resolve();

  /** @param definition of each of them */
  constructor(
    private readonly api: Api,
    private readonly definition: unknown,
  ) {}

  start(perSecond: number): this {
    this.pace = this.run(perSecond);
    return this;
  }

  /** Starts no more; resolves when all have ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.pace;
    await Promise.all(this.pending);
  }

  private async run(perSecond: number): Promise<void> {
    const begun = performance.now();
    for (let n = 0; !this.isStopped; n += 1) {
      const one = this.one().finally(() => this.pending.delete(one));
      this.pending.add(one);
      await delay(Math.max(0, begun + ((n + 1) * 1_000) / perSecond - performance.now()));
    }
  }

  private async one(): Promise<void> {
    const before = performance.now();
    try {
      const { definition } = this;
      const answer = await this.api.post<RunView>('/runs', { definition }, { Prefer: 'wait=30' });
      this.tookMs.push(performance.now() - before);
      this.runIds.push(answer.body.id);
      if (answer.body.status !== 'completed') this.wrong.push(answer.body);
    } catch (error) {
      this.wrong.push(error);
    }
  }
}
