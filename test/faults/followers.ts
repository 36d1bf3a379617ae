/** Clients of sockets that follow one run after the other from its first event, drop at random and come back. */
import { setTimeout as delay } from 'node:timers/promises';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { CaptureEvidence } from '../support/invariants/evidence.js';
import { isEnd } from '../support/invariants/unit-history.js';
import type { SeededRandom } from '../simulation/seeded-random.js';
import { SocketClient } from '../support/socket.js';

const AGAIN_MS = 200;

/** How likely a client drops at an event. */
const DROP_CHANCE = 0.02;

export interface FollowerOptions {
  readonly urlOf: () => string;
  /** A run to follow next; undefined when there is none at the moment. */
  readonly nextRun: () => string | undefined;
  readonly random: SeededRandom;
}

export class Followers {
  drops = 0;
  private readonly captures: { runId: string; events: RunEvent[]; isWhole: boolean }[] = [];
  private readonly clients: Promise<void>[] = [];
  private isStopped = false;
  private isOver = false;

  constructor(private readonly options: FollowerOptions) {}

  start(count: number): this {
    for (let n = 0; n < count; n += 1) this.clients.push(this.followMany());
    return this;
  }

  /** Follows no further runs, and resolves when the last event of each that is followed has come. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.clients);
  }

  /** Leaves at once. What a client waits for counts as never received. */
  leave(): void {
    this.isStopped = true;
    this.isOver = true;
  }

  /** What each has received of each run. */
  captured(): readonly CaptureEvidence[] {
    return this.captures.map((capture) => ({ ...capture, from: 'socket', afterSeq: 0 }));
  }

  private async followMany(): Promise<void> {
    while (!this.isStopped) {
      const runId = this.options.nextRun();
      if (runId === undefined) await delay(AGAIN_MS);
      else await this.follow(runId);
    }
  }

  private async follow(runId: string): Promise<void> {
    const capture = { runId, events: [] as RunEvent[], isWhole: false };
    this.captures.push(capture);
    while (!capture.isWhole && !this.isOver) {
      if (!(await this.followOnce(runId, capture.events))) await delay(AGAIN_MS);
      const last = capture.events.at(-1);
      capture.isWhole = last !== undefined && isEnd(last);
    }
    capture.isWhole = true;
  }

  /** Receives until the run has ended, the connection is gone, or it drops. Answers whether it was let in. */
  private async followOnce(runId: string, events: RunEvent[]): Promise<boolean> {
    const client = new SocketClient(this.options.urlOf());
    const { socket } = client;
    const { promise: gone, resolve: leave } = Promise.withResolvers<boolean>();
    socket.once('connect_error', () => leave(false));
    socket.once('disconnect', () => leave(true));
    socket.once('error', () => leave(false)); // the subscription has ended: the record was away
    socket.onAny((_name: string, event: RunEvent) => {
      if (event.runId !== runId || !Object.hasOwn(event, 'seq')) return;
      events.push(event);
      if (isEnd(event)) leave(true);
      else if (this.options.random.chance(DROP_CHANCE)) {
        this.drops += 1;
        socket.offAny();
        leave(true);
      }
    });
    socket.once('connect', () => {
      client.done('run.subscribe', { runId, afterSeq: events.length }).catch(() => leave(false)); // not answered in time, or refused while the record is away
    });
    const watch = setInterval(() => {
      if (this.isOver) leave(true);
    }, AGAIN_MS);
    try {
      return await gone;
    } finally {
      clearInterval(watch);
      socket.offAny();
      client.close();
    }
  }
}
