/**
 * The bell for those who follow the log as a whole: that something was published, in whichever process.
 *
 * It is rung a few times a second at most. While it may be out of order those who listen are told to look all the same.
 */
import type { NoteBus } from './note-bus.js';

const TOPIC = 'bell';
const NOTE = { key: TOPIC, reminder: TOPIC, text: () => TOPIC };

/** Between two rings for other processes. */
const RING_MS = 250;
/** Between two looks while no ring can be heard. */
const LOOK_MS = 2_500;

export class FeedBell {
  private leave: (() => void) | undefined;
  private ringing: NodeJS.Timeout | undefined;
  private looking: NodeJS.Timeout | undefined;
  private isDue = false;

  /** @param onRing called for rings of other processes, and when it is to be looked without one */
  constructor(
    private readonly bus: NoteBus,
    private readonly onRing: () => void,
  ) {}

  /** Something was published here. */
  ring(): void {
    this.isDue = true;
    if (this.ringing !== undefined || !this.bus.isWanted(TOPIC)) return;
    this.send();
  }

  /** Somebody listens here. */
  open(): void {
    const leaveBell = this.bus.join(TOPIC, this.onRing);
    const leaveTurns = this.bus.onTurn(() => {
      this.onRing();
      this.lookWhileUnsure();
    });
    this.leave = () => {
      leaveBell();
      leaveTurns();
    };
    this.lookWhileUnsure();
  }

  /** Nobody listens here any more. */
  close(): void {
    this.leave?.();
    this.leave = undefined;
    clearTimeout(this.looking);
    this.looking = undefined;
  }

  private send(): void {
    this.isDue = false;
    this.bus.publish(TOPIC, NOTE);
    this.ringing = setTimeout(() => {
      this.ringing = undefined;
      if (this.isDue) this.send();
    }, RING_MS).unref();
  }

  private lookWhileUnsure(): void {
    if (this.looking !== undefined || this.bus.isSure || this.leave === undefined) return;
    this.looking = setTimeout(() => {
      this.looking = undefined;
      this.onRing();
      this.lookWhileUnsure();
    }, LOOK_MS).unref();
  }
}
