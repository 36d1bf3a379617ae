/**
 * Reads what clients send and writes what Socket.IO itself sends, as its option `parser` asks (protocol revision 5).
 *
 * Decided here: bounds. A client's JSON is checked on its bytes before it is parsed, as the body of a request is, and
 * attachments in binary are refused, because nothing here takes any. Every event of a client, whatever it is called,
 * becomes the one event `command`, so no name that a client sends ever reaches the listeners of a socket. What cannot
 * be told from its sender by an acknowledgement closes the connection.
 */
import { EventEmitter } from 'node:events';

import { AppError, failureOf, type Failure } from '../kernel/failure.js';
import { isJsonObject } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { parseJson } from '../platform/http/json-body.js';
import type { JsonBounds } from '../platform/http/json-scan.js';

/** The event that every packet of a client becomes. */
export const COMMAND_EVENT = 'command';

/** Bytes that one packet of a client may have. */
export const MAX_PACKET_BYTES = 1_048_576;

/** Bytes of a command; only a start carries a whole definition. */
const MAX_COMMAND_BYTES = 102_400;
const START = 'run.start';
const MAX_CONNECT_BYTES = 4_096;

const CONNECT = '0';
const DISCONNECT = '1';
const EVENT = '2';
const ACK = '3';

/** Type, namespace, number of the acknowledgement, JSON. */
const PACKET = /^([0-3])(?:(\/[^,]{0,100}),)?(\d{1,15})?(?=$|[[{])/;
/** The name of an event, read without parsing what follows. */
const NAME = /^\s*\[\s*"([^"\\]{1,100})"/;

/** What a client sent as an event. */
export interface IncomingCommand {
  readonly name: string;
  /** Absent when the client does not wait for an answer. */
  readonly ackId?: number;
  /** What follows the name, or why it cannot be taken. */
  readonly content: Result<readonly unknown[]>;
}

/** A packet as Socket.IO handles it. */
interface SocketPacket {
  readonly type: number;
  readonly nsp: string;
  readonly id?: number;
  readonly data?: unknown;
}

/** Writes packets of Socket.IO: the answer to a handshake, and its refusal. */
class PacketEncoder {
  encode({ type, nsp, id, data }: SocketPacket): readonly string[] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    const json = data === undefined ? '' : JSON.stringify(data);
    return [`${type}${namespace}${id ?? ''}${json}`];
  }
}

/** Reads the packets of one client. Emits `decoded`; throws for what closes the connection. */
class PacketDecoder extends EventEmitter {
  constructor(private readonly bounds: JsonBounds) {
    super();
  }

  add(received: unknown): void {
    if (typeof received !== 'string') throw new Error('expected a text');
    const head = PACKET.exec(received);
    if (head === null) throw new Error('expected a packet of Socket.IO');
    const [start, type = '', nsp = '/', id] = head;
    const json = received.slice(start.length);
    const packet = {
      type: Number(type),
      nsp,
      ...this.read(type, json, id === undefined ? undefined : Number(id)),
    };
    this.emit('decoded', packet);
  }

  destroy(): void {
    this.removeAllListeners();
  }

  private read(type: string, json: string, id: number | undefined): Pick<SocketPacket, 'id' | 'data'> {
    switch (type) {
      case CONNECT:
        return json === '' ? {} : { data: this.readAuth(json) };
      case EVENT:
        return { data: [COMMAND_EVENT, this.readCommand(json, id)] };
      case ACK:
        // The service never asks for one.
        return { ...(id === undefined ? {} : { id }), data: [] };
      case DISCONNECT:
      default:
        return {};
    }
  }

  private readAuth(json: string): object {
    if (json.length > MAX_CONNECT_BYTES) throw new Error('the handshake is too large');
    const auth = parseJson(Buffer.from(json), this.bounds);
    if (!isJsonObject(auth)) throw new Error('expected an object');
    return auth;
  }

  private readCommand(json: string, ackId: number | undefined): IncomingCommand {
    const name = NAME.exec(json)?.[1];
    if (name === undefined) throw new Error('expected the name of a command');
    return { name, ...(ackId === undefined ? {} : { ackId }), content: this.readContent(name, json) };
  }

  private readContent(name: string, json: string): Result<readonly unknown[]> {
    const bytes = Buffer.from(json);
    const limit = name === START ? MAX_PACKET_BYTES : MAX_COMMAND_BYTES;
    if (bytes.length > limit) return fail(tooLarge(name, limit));
    try {
      const list = parseJson(bytes, this.bounds);
      return Array.isArray(list) ? ok(list.slice(1) as unknown[]) : fail(notAList());
    } catch (error) {
      if (AppError.is(error)) return fail(error.failure);
      throw error;
    }
  }
}

/** The parser for a server of Socket.IO. */
export function packetParser(bounds: JsonBounds): {
  readonly Encoder: new () => PacketEncoder;
  readonly Decoder: new () => PacketDecoder;
} {
  class BoundDecoder extends PacketDecoder {
    constructor() {
      super(bounds);
    }
  }
  return { Encoder: PacketEncoder, Decoder: BoundDecoder };
}

function tooLarge(name: string, limit: number): Failure {
  return failureOf(httpErrors['request.too-large'], `A packet of ${name} may have ${limit} bytes`);
}

function notAList(): Failure {
  return failureOf(httpErrors['request.invalid'], 'Expected a list of a name and a payload');
}
