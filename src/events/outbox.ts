/**
 * What waits to be sent to one client: in order, bounded, many packets at once.
 *
 * Decided here: how much is handed to the network at a time, when whoever produces must wait, and for how long the
 * client has taken nothing. Decided elsewhere: what becomes of a client that takes nothing (connection.ts).
 */
import type { Packet } from './packet.js';
import type { SocketLimits } from './socket-limits.js';
import type { Clock } from '../platform/clock/clock.js';

/** The way to one client. */
export interface Wire {
  /**
   * Hands packets over, in order.
   *
   * @param packets at least one
   * @param taken called once all of them have left the process; never after the connection has closed
   */
  write(packets: readonly Packet[], taken: () => void): void;
}

/** Who put a packet in, so that it can be taken out again. */
export type Sender = object;

interface Entry {
  readonly packet: Packet;
  readonly sender: Sender | undefined;
}

type OutboxLimits = Pick<SocketLimits, 'maxQueuedBytes' | 'maxBatchBytes' | 'stallMs' | 'minBytesPerSecond'>;

/**
 * Packets of one tick go out together. One batch is under way at a time, so what the client does not take stays here,
 * counted, and producers wait: memory is bounded by `maxQueuedBytes` and one packet of each producer.
 */
export class Outbox {
  private queue: Entry[] = [];
  private queuedBytes = 0;
  private underwayBytes = 0;
  private underwaySince = 0;
  private isScheduled = false;
  private isClosed = false;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly wire: Wire,
    private readonly clock: Clock,
    private readonly limits: OutboxLimits,
  ) {}

  /** Bytes that the client has not taken. */
  get bytes(): number {
    return this.queuedBytes + this.underwayBytes;
  }

  get isFull(): boolean {
    return this.bytes >= this.limits.maxQueuedBytes;
  }

  /** Adds a packet, also when it is full: whoever has more to say then waits for `room`. */
  push(packet: Packet, sender?: Sender): void {
    if (this.isClosed) return;
    this.queue.push({ packet, sender });
    this.queuedBytes += packet.frame.length;
    this.schedule();
  }

  /** Waits while it is full. False when the connection has ended or the signal aborts. */
  async room(signal?: AbortSignal): Promise<boolean> {
    while (this.isFull && !this.isOver(signal)) {
      await new Promise<void>((resolve) => {
        this.waiters.push(resolve);
      });
    }
    return !this.isOver(signal);
  }

  /** Takes back what a sender has put in and has not gone out. */
  takeBack(sender: Sender): void {
    this.queue = this.queue.filter((entry) => entry.sender !== sender);
    this.recount();
    this.wake();
  }

  /** Sends one last packet after those that are under way, instead of all that wait. Nothing is taken after it. */
  end(packet: Packet): void {
    if (this.isClosed) return;
    this.close();
    this.wire.write([packet], () => undefined);
  }

  /** Forgets all. */
  close(): void {
    this.isClosed = true;
    this.queue = [];
    this.recount();
    this.wake();
  }

  /** True when the client takes nothing, or less than the slowest that is served. */
  isStalled(): boolean {
    if (this.underwayBytes === 0) return false;
    const allowedMs = this.limits.stallMs + (this.underwayBytes / this.limits.minBytesPerSecond) * 1000;
    return this.clock.monotonic() - this.underwaySince > allowedMs;
  }

  private isOver(signal?: AbortSignal): boolean {
    return this.isClosed || signal?.aborted === true;
  }

  private schedule(): void {
    if (this.isScheduled || this.underwayBytes > 0) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.sendNext();
    });
  }

  private sendNext(): void {
    if (this.underwayBytes > 0 || this.queue.length === 0) return;
    const packets = this.takeBatch();
    this.underwaySince = this.clock.monotonic();
    this.wire.write(packets, () => {
      this.underwayBytes = 0;
      this.wake();
      this.sendNext();
    });
  }

  /** The next packets up to `maxBatchBytes`, at least one; they count as under way. */
  private takeBatch(): readonly Packet[] {
    let count = 0;
    let bytes = 0;
    for (const { packet } of this.queue) {
      const { length } = packet.frame;
      if (count > 0 && bytes + length > this.limits.maxBatchBytes) break;
      bytes += length;
      count += 1;
    }
    this.queuedBytes -= bytes;
    this.underwayBytes = bytes;
    return this.queue.splice(0, count).map(({ packet }) => packet);
  }

  private recount(): void {
    this.queuedBytes = this.queue.reduce((sum, { packet }) => sum + packet.frame.length, 0);
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  }
}
