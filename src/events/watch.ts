import type { RunItem } from '../runs/run-item.js';
import type { WatchPayload } from './event.contract.js';
import type { Outbox } from './outbox.js';
import type { Packet } from './packet.js';

/** A run that changed, and the packet that says so: made once, however many clients get it. */
export interface Summary {
  readonly item: RunItem;
  readonly packet: Packet;
}

/** How many runs may wait for a client that takes nothing. */
const MAX_PENDING = 5_000;

/** How many runs are remembered as shown. The oldest is forgotten first: its leaving is then not told. */
const MAX_SHOWN = 5_000;

/**
 * Summaries of runs on their way to one client: of each run the latest only, as fast as the client takes them.
 *
 * A run that the client was shown and that matches no more is told once, so that a list can drop it.
 */
export class Watch {
  private readonly stopped = new AbortController();
  private readonly pending = new Map<string, Packet>();
  private readonly shown = new Set<string>();
  private hasBegun = false;
  private isSending = false;

  constructor(
    private readonly filter: WatchPayload,
    private readonly outbox: Outbox,
  ) {}

  /** The client knows of these runs. */
  show(items: readonly RunItem[]): void {
    for (const { id } of items) this.remember(id);
  }

  /** Begins to send: what was offered before has waited. */
  begin(): void {
    this.hasBegun = true;
    void this.send();
  }

  /** Takes a run that changed. False when too many wait: the client can not keep up, and the watch is to be ended. */
  offer({ item, packet }: Summary): boolean {
    const isMatch = this.matches(item);
    if (!isMatch && !this.shown.delete(item.id)) return true;
    if (isMatch) this.remember(item.id);
    this.pending.set(item.id, packet);
    void this.send();
    return this.pending.size <= MAX_PENDING;
  }

  /** Ends it and takes back what has not gone out. */
  stop(): void {
    this.stopped.abort();
    this.pending.clear();
    this.outbox.takeBack(this);
  }

  private matches({ status, workflow }: RunItem): boolean {
    const { filter } = this;
    return (
      (filter.status === undefined || filter.status === status) &&
      (filter.workflowId === undefined || filter.workflowId === workflow?.id)
    );
  }

  private remember(id: string): void {
    this.shown.delete(id);
    this.shown.add(id);
    if (this.shown.size > MAX_SHOWN) this.shown.delete(this.shown.keys().next().value ?? '');
  }

  private async send(): Promise<void> {
    if (!this.hasBegun || this.isSending) return;
    this.isSending = true;
    while (this.pending.size > 0 && (await this.outbox.room(this.stopped.signal))) this.sendNext();
    this.isSending = false;
  }

  private sendNext(): void {
    for (const [id, packet] of this.pending) {
      if (this.outbox.isFull) return;
      this.pending.delete(id);
      this.outbox.push(packet, this);
    }
  }
}
