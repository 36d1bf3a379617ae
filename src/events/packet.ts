/**
 * Packets of the Socket.IO protocol (revision 5) that the service sends: text that is made once for all clients.
 *
 * Decided here: how an event, a delta or an answer is written. Decided elsewhere: when it is sent (outbox.ts) and
 * over what (wire.ts). Packets of the default namespace need no name of one.
 */
import type { EncodedEvent } from '../runs/domain/run.events.js';
import type { Delta } from '../runs/run.feed.js';
import type { Acknowledgement, ServerToClientEvents } from './event.contract.js';
import { textFrame } from './text-frame.js';

/** Engine.IO's sign of a message, before every packet of Socket.IO. */
const MESSAGE = '4';
const EVENT = '2';
const ACK = '3';

/** One packet, and the WebSocket frame that carries it. */
export interface Packet {
  /** As Engine.IO takes it. */
  readonly text: string;
  readonly frame: Buffer;
}

const packets = new WeakMap<object, Packet>();

/** The packet of a stored event, with the text that the log holds. Made once, however many clients get it. */
export function packetOfEvent(encoded: EncodedEvent): Packet {
  return madeOnce(encoded, () => eventPacket(encoded.event.type, encoded.text));
}

/** The packet of a delta. Made once, however many clients get it. */
export function packetOfDelta(delta: Delta): Packet {
  return madeOnce(delta, () => eventPacket(delta.type, JSON.stringify(delta)));
}

/** The packet of what is said to one client only. */
export function packetOf<E extends keyof ServerToClientEvents>(
  name: E,
  content: Parameters<ServerToClientEvents[E]>[0],
): Packet {
  return eventPacket(name, JSON.stringify(content));
}

/** The packet that acknowledges the command of that number. */
export function acknowledgementPacket(ackId: number, answer: Acknowledgement<unknown>): Packet {
  return new LazyPacket(`${ACK}${ackId}[${JSON.stringify(answer)}]`);
}

function eventPacket(name: string, json: string): Packet {
  return new LazyPacket(`${EVENT}["${name}",${json}]`);
}

function madeOnce(source: object, make: () => Packet): Packet {
  const known = packets.get(source);
  if (known !== undefined) return known;
  const packet = make();
  packets.set(source, packet);
  return packet;
}

class LazyPacket implements Packet {
  private made: Buffer | undefined;

  constructor(readonly text: string) {}

  get frame(): Buffer {
    this.made ??= textFrame(MESSAGE + this.text);
    return this.made;
  }
}
