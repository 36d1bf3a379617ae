/** A crowd of clients that are cut off: two of three over Socket.IO, one of three over Server-Sent Events. */
import type { CaptureEvidence } from '../support/invariants/evidence.js';
import type { DropTally } from './drop-tally.js';
import { Dropper, type DropperOptions } from './dropper.js';
import { SocketLine } from './socket-line.js';
import { StreamLine } from './stream-line.js';

type Kind = Pick<DropperOptions, 'from' | 'open'>;

/** What clients go over, taken in turn. */
const KINDS: readonly Kind[] = [
  { from: 'socket', open: (options) => new SocketLine(options) },
  { from: 'sse', open: (options) => new StreamLine(options) },
  { from: 'socket by polling', open: (options) => new SocketLine(options, ['polling', 'websocket']) },
];

export type CrowdOptions = Omit<DropperOptions, keyof Kind>;

export class Droppers {
  private readonly clients: readonly Dropper[];
  private readonly over: Promise<unknown>;
  private unfinished: number;

  /** Begins to follow with so many clients. */
  constructor(
    private readonly options: CrowdOptions,
    count: number,
  ) {
    this.clients = Array.from({ length: count }, (_, n) => new Dropper({ ...options, ...kindOf(n) }));
    this.unfinished = count;
    this.over = Promise.all(
      this.clients.map((client) => client.followAll().finally(() => (this.unfinished -= 1))),
    );
  }

  get tally(): DropTally {
    return this.options.tally;
  }

  /** Whether every client has followed its last run to the end. */
  get areDone(): boolean {
    return this.unfinished === 0;
  }

  /** Cuts off every second of those that follow a run at the moment. */
  cutHalf(): void {
    for (const client of this.clients.filter((_, n) => n % 2 === 0)) client.cut('before a fault');
  }

  /** Clients follow no further runs; each goes on with the one that it follows. */
  stop(): void {
    for (const client of this.clients) client.stop();
  }

  /** Leaves at once, and resolves when all are gone. What a client waits for counts as never received. */
  async leave(): Promise<void> {
    for (const client of this.clients) client.leave();
    await this.over;
  }

  /** What each has received of each run, over all its connections. */
  captured(): readonly CaptureEvidence[] {
    return this.clients.flatMap(({ receipts }) => receipts.map((receipt) => ({ ...receipt, afterSeq: 0 })));
  }
}

function kindOf(n: number): Kind {
  return KINDS[n % KINDS.length] as Kind;
}
