/** The way to a client over Engine.IO, the layer below Socket.IO. */
import { once, type EventEmitter } from 'node:events';

import type { Socket } from 'socket.io';

import type { Wire } from './outbox.js';
import type { Packet } from './packet.js';

export type EngineSocket = Socket['conn'];

/** Not compressed; the frames as they go over the network, where they are made already. */
interface WriteOptions {
  readonly compress: false;
  readonly wsPreEncodedFrame?: readonly Buffer[];
}

/** What of Engine.IO's transport over WebSocket is used here, and by Socket.IO's own broadcast. */
interface WebSocketTransport {
  readonly perMessageDeflate?: unknown;
  readonly socket?: EventEmitter & {
    readonly _sender?: { readonly sendFrame?: unknown };
    readonly readyState: number;
    readonly terminate: () => void;
  };
}

/** `WebSocket.CLOSED`. */
const CLOSED = 3;

/** What was joined last: clients that follow the same run get the same packets in the same tick. */
let lastJoined: { readonly packets: readonly Packet[]; readonly frames: Buffer } | undefined;

/**
 * Writes to the network. Over WebSocket all packets of a call go out in one write, as frames that are made once for
 * all clients; over polling they are texts in one answer.
 */
export class EngineWire implements Wire {
  constructor(private readonly engine: EngineSocket) {}

  write(packets: readonly Packet[], taken: () => void): void {
    if (this.takesFrames()) {
      const options: WriteOptions = { compress: false, wsPreEncodedFrame: [joinFrames(packets)] };
      this.engine.write('', options, taken);
      return;
    }
    const options: WriteOptions = { compress: false };
    for (const { text } of packets.slice(0, -1)) this.engine.write(text, options);
    this.engine.write(packets.at(-1)?.text ?? '', options, taken);
  }

  /** Ends the connection after what was written has gone out. The client connects again by itself. */
  close(): void {
    this.engine.close();
  }

  /** Ends the connection at once. */
  destroy(): void {
    const { socket } = this.engine.transport as WebSocketTransport;
    if (socket === undefined) this.engine.close(true);
    else socket.terminate();
  }

  /** Ends the connection without what waits, and resolves when it is gone: after `patienceMs` at the latest. */
  async end(patienceMs: number): Promise<void> {
    const { socket } = this.engine.transport as WebSocketTransport;
    this.engine.close(true);
    if (socket === undefined || socket.readyState === CLOSED) return;
    const patience = setTimeout(socket.terminate.bind(socket), patienceMs);
    await once(socket, 'close');
    clearTimeout(patience);
  }

  private takesFrames(): boolean {
    const { name } = this.engine.transport;
    const { perMessageDeflate, socket } = this.engine.transport as WebSocketTransport;
    return (
      name === 'websocket' && !Boolean(perMessageDeflate) && typeof socket?._sender?.sendFrame === 'function'
    );
  }
}

function joinFrames(packets: readonly Packet[]): Buffer {
  if (packets.length === 1 && packets[0] !== undefined) return packets[0].frame;
  if (lastJoined !== undefined && areSame(lastJoined.packets, packets)) return lastJoined.frames;
  lastJoined = { packets, frames: Buffer.concat(packets.map(({ frame }) => frame)) };
  return lastJoined.frames;
}

function areSame(a: readonly Packet[], b: readonly Packet[]): boolean {
  return a.length === b.length && a.every((packet, index) => packet === b[index]);
}
