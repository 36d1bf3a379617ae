import type { ProblemDocument } from '../platform/http/problem.js';
import type { Admission } from './admission.js';
import { CommandLane } from './command-lane.js';
import type { Acknowledgement } from './event.contract.js';
import type { Outbox } from './outbox.js';
import { acknowledgementPacket, packetOf } from './packet.js';
import type { SocketLimits } from './socket-limits.js';
import type { Subscription } from './subscription.js';
import { TokenBucket } from './token-bucket.js';
import type { EngineWire } from './wire.js';

/** One client: who it is, what it follows, what it is sent. */
export class Connection {
  /** By run id. */
  readonly subscriptions = new Map<string, Subscription>();
  readonly lane: CommandLane;
  readonly pace: TokenBucket;
  private linger: NodeJS.Timeout | undefined;
  private isEnding = false;
  private readonly endings = new Map<object, () => void>();

  constructor(
    readonly admission: Admission,
    readonly outbox: Outbox,
    private readonly wire: EngineWire,
    private readonly limits: SocketLimits,
    now: number,
  ) {
    this.lane = new CommandLane(limits.maxOpenCommands);
    this.pace = new TokenBucket({ perSecond: limits.commandsPerSecond, burst: limits.commandBurst }, now);
  }

  /** True once it is cut off or closed: nothing more is sent or carried out. */
  get isOver(): boolean {
    return this.isEnding;
  }

  get namespace(): string {
    return this.admission.principal.namespace;
  }

  /** Has something done when it is cut off or closed: of each who asks, what was asked for last. */
  whenOver(who: object, ending: () => void): void {
    this.endings.set(who, ending);
  }

  /** Answers a command, where the client asked for an answer. Without one, a refusal comes as the event `error`. */
  answer(ackId: number | undefined, answer: Acknowledgement<unknown>): void {
    if (ackId !== undefined) this.outbox.push(acknowledgementPacket(ackId, answer));
    else if (!answer.ok) this.tell(answer.problem);
  }

  /** Tells what no answer can tell. */
  tell(problem: ProblemDocument): void {
    this.outbox.push(packetOf('error', problem));
  }

  /**
   * Ends the connection with the reason as the last thing that is said. A client that does not take it in time is cut
   * off without. It may connect again and go on after the last event that it has.
   */
  cutOff(problem: ProblemDocument): void {
    if (this.isEnding) return;
    this.outbox.end(packetOf('error', problem));
    this.release();
    this.wire.close();
    this.linger = setTimeout(() => {
      this.wire.destroy();
    }, this.limits.lingerMs).unref();
  }

  /** The connection has ended. */
  close(): void {
    clearTimeout(this.linger);
    this.outbox.close();
    this.release();
  }

  private release(): void {
    this.isEnding = true;
    this.lane.clear();
    for (const subscription of this.subscriptions.values()) subscription.stop();
    this.subscriptions.clear();
    for (const ending of this.endings.values()) ending();
    this.endings.clear();
  }
}
