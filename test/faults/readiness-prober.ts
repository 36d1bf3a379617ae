/** Asks a process whether it is ready, again and again, as who sends it requests does: with a second for the answer. */
import { setTimeout as delay } from 'node:timers/promises';

/** One question; the time is in milliseconds since the epoch. */
interface Probe {
  /** When it was answered, or given up. */
  readonly at: number;
  /** The owner of runs that it says it is, where it says that it is ready. */
  readonly readyAs?: string;
}

const ANSWER_MS = 1_000;
const PACE_MS = 250;

interface Readiness {
  readonly details?: { readonly lease?: { readonly owner?: string } };
}

export class ReadinessProber {
  private readonly probes: Probe[] = [];
  private isStopped = false;
  private over: Promise<void> = Promise.resolve();

  private constructor(private readonly url: string) {}

  /** @param url of the process, without a slash at the end */
  static start(url: string): ReadinessProber {
    const prober = new ReadinessProber(url);
    prober.over = prober.run();
    return prober;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.over;
  }

  /** As which owner it was ready at the last probe. */
  get readyAs(): string | undefined {
    return this.probes.at(-1)?.readyAs;
  }

  /** How long after a moment the first probe was not answered with 200; undefined when each was. */
  unreadyAfter(moment: number): number | undefined {
    const first = this.probes.find(({ at, readyAs }) => at >= moment && readyAs === undefined);
    return first && first.at - moment;
  }

  /** As which owners it was ready, in order, from the first probe on that it was not ready at after a moment. */
  readyAgainAs(moment: number): readonly string[] {
    const first = this.probes.findIndex(({ at, readyAs }) => at >= moment && readyAs === undefined);
    const owners = this.probes.slice(first).flatMap(({ readyAs }) => readyAs ?? []);
    return first < 0 ? [] : [...new Set(owners)];
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const readyAs = await this.ask();
      this.probes.push({ at: Date.now(), ...(readyAs !== undefined && { readyAs }) });
      await delay(PACE_MS);
    }
  }

  private async ask(): Promise<string | undefined> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(`${this.url}/health/ready`, { signal });
      const { details } = (await answer.json()) as Readiness;
      return answer.status === 200 ? (details?.lease?.owner ?? 'nobody') : undefined;
    } catch {
      return undefined; // no answer in time
    }
  }
}
