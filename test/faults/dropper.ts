/** One client that follows runs, is cut off again and again, and comes back with its place. */
import { setTimeout as delay } from 'node:timers/promises';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { isEnd } from '../support/invariants/unit-history.js';
import { until } from '../support/until.js';
import type { SeededRandom } from '../simulation/seeded-random.js';
import type { DropTally, Return } from './drop-tally.js';
import { CUTS, type Line, type LineOptions } from './line.js';
import type { RunStands } from './run-stands.js';

/** How long a client waits that was not let in, or has no run to follow. */
const AGAIN_MS = 100;
/** How long it stays away at most that comes back a little later. */
const LATER_MS = 600;
const END_MS = 300_000;

/** What a client receives of a run. */
export interface Receipt {
  readonly runId: string;
  readonly from: string;
  readonly events: RunEvent[];
  isWhole: boolean;
}

export interface DropperOptions {
  /** What it goes over, as captures are named. */
  readonly from: string;
  readonly open: (options: LineOptions) => Line;
  readonly url: string;
  /** A run to follow after another; undefined when there is none at the moment. */
  readonly nextRun: (after: string | undefined) => string | undefined;
  readonly stands: RunStands;
  readonly tally: DropTally;
  readonly random: SeededRandom;
}

/** How a connection has ended: the client was cut off, the service or the network has ended it, or it never came in. */
type Ending = Return | 'lost' | 'refused';

export class Dropper {
  /** Of each run that it has followed. */
  readonly receipts: Receipt[] = [];
  private line: Line | undefined;
  private isStopped = false;
  private isOver = false;
  /** When it comes back, once it was cut off. */
  private back: Return | undefined;

  constructor(private readonly options: DropperOptions) {}

  /** Follows one run after the other until it is stopped, and the last one to its end. */
  async followAll(): Promise<void> {
    const { nextRun } = this.options;
    for (let last: string | undefined; !this.isStopped;) {
      const next = nextRun(last);
      if (next === undefined) await delay(AGAIN_MS);
      else await this.follow(next);
      last = next ?? last;
    }
  }

  /** Follows no further runs. */
  stop(): void {
    this.isStopped = true;
  }

  /** Leaves at once. What it waits for counts as never received. */
  leave(): void {
    this.isStopped = true;
    this.isOver = true;
    this.line?.leave();
  }

  /** Cuts it off where it follows a run. */
  cut(what: string): void {
    if (this.line === undefined || this.back !== undefined) return;
    this.back = this.options.tally.drop(what);
    this.line.cut(this.options.random.pick(CUTS));
  }

  private async follow(runId: string): Promise<void> {
    const { tally, from } = this.options;
    const receipt: Receipt = { runId, from, events: [], isWhole: false };
    this.receipts.push(receipt);
    for (let isBack = false; !hasEnd(receipt) && !this.isOver; isBack = true) {
      const ending = await this.followOnce(receipt, isBack);
      if (hasEnd(receipt)) break;
      if (ending === 'lost' || ending === 'refused') tally.count(ending);
      await this.stayAway(ending, runId);
    }
    receipt.isWhole = true;
  }

  /** Receives over one connection, until that has ended. */
  private async followOnce(receipt: Receipt, isBack: boolean): Promise<Ending> {
    const { open, url, stands, tally } = this.options;
    const { runId } = receipt;
    const { lastSeq } = await stands.of(runId);
    const before = performance.now();
    let isMeasured = !isBack;
    const look = (): void => {
      if (isMeasured || seqOf(receipt) < lastSeq) return;
      isMeasured = true;
      tally.levelMs.push(performance.now() - before);
    };
    this.back = undefined;
    const line = open({
      ...{ url, runId, afterSeq: seqOf(receipt) },
      onEvent: (event) => {
        receipt.events.push(event);
        look();
        if (isEnd(event)) line.leave();
        else if (tally.isDue()) this.cut('at an event');
      },
      onSurprise: (what) => tally.surprises.push(what),
    });
    this.line = line;
    if (isBack && tally.isDueUnanswered()) void line.asked.then(() => setImmediate(() => this.cutIf(line)));
    const isIn = await line.letIn;
    if (isIn) look();
    await line.gone;
    this.line = undefined;
    return this.backOr(isIn ? 'lost' : 'refused');
  }

  /** When it comes back, if it was cut off meanwhile. */
  private backOr(otherwise: Ending): Ending {
    return this.back ?? otherwise;
  }

  /** Cuts off what has just asked, unless it is gone. */
  private cutIf(line: Line): void {
    if (this.line === line) this.cut('before the answer');
  }

  private async stayAway(ending: Ending, runId: string): Promise<void> {
    const { random, stands } = this.options;
    if (ending === 'refused') await delay(AGAIN_MS);
    else if (ending === 'a little later') await delay(random.below(LATER_MS));
    else if (ending === 'after the end')
      await until(async () => this.isOver || (await stands.of(runId)).hasEnded, 'it ends', END_MS, AGAIN_MS);
  }
}

function seqOf({ events }: Receipt): number {
  return events.at(-1)?.seq ?? 0;
}

function hasEnd({ events }: Receipt): boolean {
  const last = events.at(-1);
  return last !== undefined && isEnd(last);
}
