import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { Heap } from '../../kernel/heap.js';
import { Clock } from '../../platform/clock/clock.js';

/** Width of a slot in milliseconds: how late a timer may fire. */
const SLOT_MS = 10;

/** The longest delay that `setTimeout` takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer that can be taken back. */
export interface Timer {
  /** Takes the timer back; does nothing when it has fired. */
  cancel(): void;
}

type Slot = Set<() => void>;

/**
 * All timers of the engine behind one `setTimeout`: adding and taking back cost the same however many there are.
 *
 * Timers that fall into the same 10 ms fire together, never early.
 */
@Injectable()
export class TimerService implements OnApplicationShutdown {
  private readonly slots = new Map<number, Slot>();
  private readonly due = new Heap<number>((a, b) => a < b);
  private armed: { readonly slot: number; readonly handle: NodeJS.Timeout } | undefined;

  constructor(private readonly clock: Clock) {}

  /** Calls back once `at` has come, in milliseconds since the epoch. */
  at(at: number, callback: () => void): Timer {
    const slot = Math.ceil(at / SLOT_MS);
    const callbacks = this.slots.get(slot) ?? this.openSlot(slot);
    callbacks.add(callback);
    return {
      cancel: () => {
        callbacks.delete(callback);
        if (callbacks.size === 0 && this.slots.get(slot) === callbacks) this.slots.delete(slot);
      },
    };
  }

  /** Calls back after a delay in milliseconds. */
  after(delayMs: number, callback: () => void): Timer {
    return this.at(this.clock.now() + delayMs, callback);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.armed?.handle);
    this.slots.clear();
  }

  private openSlot(slot: number): Slot {
    const callbacks: Slot = new Set();
    this.slots.set(slot, callbacks);
    this.due.push(slot);
    if (this.armed === undefined || slot < this.armed.slot) this.arm(slot);
    return callbacks;
  }

  private arm(slot: number): void {
    clearTimeout(this.armed?.handle);
    const delay = Math.min(Math.max(0, slot * SLOT_MS - this.clock.now()), MAX_DELAY_MS);
    this.armed = {
      slot,
      handle: setTimeout(() => {
        this.fire();
      }, delay),
    };
  }

  private fire(): void {
    this.armed = undefined;
    const now = Math.floor(this.clock.now() / SLOT_MS);
    for (let slot = this.due.peek(); slot !== undefined; slot = this.due.peek()) {
      const callbacks = this.slots.get(slot);
      if (callbacks !== undefined && callbacks.size > 0 && slot > now) {
        this.arm(slot);
        return;
      }
      this.due.pop();
      this.slots.delete(slot);
      for (const callback of callbacks ?? []) callback();
    }
  }
}
