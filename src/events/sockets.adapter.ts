import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';

import { LimitConfig } from '../platform/config/app.config.js';
import { MAX_PACKET_BYTES, packetParser } from './packet-codec.js';
import { SocketLimits } from './socket-limits.js';
import { EngineWire, type EngineSocket } from './wire.js';

/** Time from the opening of a connection to the handshake. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long clients may take to end their side when the service stops. */
const FAREWELL_MS = 300;

/** Serves Socket.IO on the HTTP server of an application. Called before the application starts. */
export function useSockets(app: INestApplication): void {
  app.useWebSocketAdapter(new SocketsAdapter(app));
}

/** Socket.IO with bounds, our own parser, and an end that does not wait for clients. */
class SocketsAdapter extends IoAdapter {
  private readonly engines = new Set<EngineSocket>();
  private isClosing = false;

  constructor(private readonly app: INestApplication) {
    super(app);
  }

  override create(): Server {
    const server = this.createIOServer(0, this.options() as ServerOptions);
    server.engine.on('connection', (engine: EngineSocket) => {
      this.engines.add(engine);
      engine.once('close', () => this.engines.delete(engine));
    });
    return server;
  }

  /** The gateway takes commands itself. */
  override bindMessageHandlers(): void {
    // Nothing is bound here.
  }

  /** Ends all connections; the HTTP server is not ours to close. Clients connect again by themselves, elsewhere or later. */
  override async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all([...this.engines].map((engine) => new EngineWire(engine).end(FAREWELL_MS)));
  }

  private options(): Partial<ServerOptions> {
    const { maxSockets } = this.app.get(SocketLimits);
    const { maxJsonDepth, maxJsonKeys } = this.app.get(LimitConfig);
    return {
      path: '/socket.io',
      serveClient: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxHttpBufferSize: MAX_PACKET_BYTES,
      perMessageDeflate: false,
      httpCompression: false,
      parser: packetParser({ maxDepth: maxJsonDepth, maxKeys: maxJsonKeys }),
      allowRequest: (_request, decide) => {
        const mayConnect = !this.isClosing && this.engines.size < maxSockets;
        decide(mayConnect ? undefined : 'the service takes no further connection at present', mayConnect);
      },
    };
  }
}
