import { Logger } from '@nestjs/common';
import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';

import { AppError, failureOf } from '../kernel/failure.js';
import { AuthService } from '../platform/auth/auth.service.js';
import { refuseWorkers } from '../platform/auth/worker-key.js';
import { Clock } from '../platform/clock/clock.js';
import { credentialsOf, type Admission } from './admission.js';
import { CommandService } from './command.service.js';
import { Connection } from './connection.js';
import { Outbox } from './outbox.js';
import { COMMAND_EVENT, type IncomingCommand } from './packet-codec.js';
import { SocketLimits } from './socket-limits.js';
import { SocketProblems } from './socket-problem.js';
import { socketErrors } from './socket.errors.js';
import { EngineWire } from './wire.js';

/** What Socket.IO tells a client whose handshake is refused, as `connect_error`. */
class Refusal extends Error {
  constructor(readonly data: { readonly detail: string }) {
    super(data.detail);
  }
}

/**
 * Live events over Socket.IO: lets clients in, gives their commands on, and parts from those that may not stay.
 *
 * Commands are not bound by Nest's `@SubscribeMessage`: every packet of a client is one event (packet-codec.ts), and the
 * table of commands is typed (command-table.ts), so a name that nobody knows is answered like any other mistake.
 */
@WebSocketGateway()
export class EventsGateway
  implements OnGatewayInit<Server>, OnGatewayConnection<Socket>, OnGatewayDisconnect<Socket>
{
  private readonly logger = new Logger('Sockets');
  private readonly admissions = new WeakMap<Socket, Admission>();
  private readonly connections = new Map<Socket, Connection>();
  private stallTimer: NodeJS.Timeout | undefined;
  private accessTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly auth: AuthService,
    private readonly commands: CommandService,
    private readonly problems: SocketProblems,
    private readonly clock: Clock,
    private readonly limits: SocketLimits,
  ) {}

  /** Sockets that are open. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Runs that are followed, counted once for each socket. */
  get subscriptionCount(): number {
    return this.sum(({ subscriptions }) => subscriptions.size);
  }

  /** Bytes that clients have not taken. */
  get queuedBytes(): number {
    return this.sum(({ outbox }) => outbox.bytes);
  }

  afterInit(server: Server): void {
    server.use((socket, next) => {
      void this.admit(socket).then(next);
    });
  }

  handleConnection(socket: Socket): void {
    const admission = this.admissions.get(socket);
    if (admission === undefined) throw new Error('a socket was connected without a handshake');
    const wire = new EngineWire(socket.conn);
    const outbox = new Outbox(wire, this.clock, this.limits);
    const connection = new Connection(admission, outbox, wire, this.limits, this.clock.monotonic());
    this.connections.set(socket, connection);
    this.startChecks();
    socket.on(COMMAND_EVENT, (command: IncomingCommand) => {
      this.commands.receive(connection, command);
    });
  }

  handleDisconnect(socket: Socket): void {
    this.connections.get(socket)?.close();
    this.connections.delete(socket);
    if (this.connections.size === 0) this.stopChecks();
  }

  /** Undefined when the socket may connect. */
  private async admit(socket: Socket): Promise<Refusal | undefined> {
    try {
      const credentials = credentialsOf(socket.handshake);
      if (!credentials.ok) throw new AppError(credentials.failure);
      const result = await this.auth.authenticate(credentials.value);
      if (!result.ok) throw new AppError(result.failure);
      refuseWorkers(result.value);
      const { address } = socket.handshake;
      this.admissions.set(socket, { credentials: credentials.value, principal: result.value, address });
      return undefined;
    } catch (error) {
      return new Refusal(this.problems.ofException(error, 'handshake'));
    }
  }

  private startChecks(): void {
    this.stallTimer ??= setInterval(() => {
      this.cutOffStalled();
    }, this.limits.stallCheckMs).unref();
    this.accessTimer ??= setInterval(() => void this.cutOffRevoked(), this.limits.accessCheckMs).unref();
  }

  private stopChecks(): void {
    clearInterval(this.stallTimer);
    clearInterval(this.accessTimer);
    this.stallTimer = undefined;
    this.accessTimer = undefined;
  }

  private cutOffStalled(): void {
    for (const connection of this.connections.values()) {
      if (connection.isOver || !connection.outbox.isStalled()) continue;
      const failure = failureOf(
        socketErrors['socket.too-slow'],
        'The client did not take what it was sent. Connect again and subscribe after the last event that you have',
      );
      this.logger.warn({
        address: connection.admission.address,
        msg: 'A client that takes nothing is cut off',
      });
      connection.cutOff(this.problems.ofFailure(failure));
    }
  }

  private async cutOffRevoked(): Promise<void> {
    for (const connection of [...this.connections.values()]) {
      try {
        const result = await this.auth.authenticate(connection.admission.credentials);
        if (!result.ok) connection.cutOff(this.problems.ofFailure(result.failure));
      } catch (err) {
        // Keys cannot be read at present: who is in stays in until they can.
        this.logger.warn({ err, msg: 'Keys of open sockets could not be checked' });
        return;
      }
    }
  }

  private sum(measure: (connection: Connection) => number): number {
    return [...this.connections.values()].reduce((sum, connection) => sum + measure(connection), 0);
  }
}
