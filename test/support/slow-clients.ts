/** Socket clients that stop reading, and what the system sees of them. */
import { readFileSync } from 'node:fs';
import type { Socket as TcpSocket } from 'node:net';

import { ServiceProcess } from './service-process.js';
import type { SocketClient } from './socket.js';

/** Starts the service that tells of runs, on a folder and at a port that outlive it. It refuses nobody for a rate. */
export function startForCrowd(folder: string, port: number): Promise<ServiceProcess> {
  return ServiceProcess.start({
    script: 'test/e2e/event-service.mjs',
    env: {
      ...{ DATA_DIR: folder, PORT: String(port), AGENT_MAX_WORKFLOW_STEPS: '1000' },
      ...{ RATE_LIMIT_READ: '0', RATE_LIMIT_WRITE: '0', RATE_LIMIT_START: '0' },
    },
  });
}

/** The connection of a client, to pause it. */
export function tcpOf({ socket }: SocketClient): TcpSocket {
  const { transport } = socket.io.engine;
  return (transport as unknown as { readonly ws: { readonly _socket: TcpSocket } }).ws._socket;
}

/**
 * Whether the service at a port has a connection to one of these ports open still (proc(5), /proc/net/tcp; 01 is
 * ESTABLISHED).
 */
export function isOpen(port: number, clientPorts: readonly number[]): boolean {
  const hex = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'utf8');
  return clientPorts.some((clientPort) =>
    new RegExp(`:${hex(port)} [0-9A-F]{8}:${hex(clientPort)} 01 `).test(rows),
  );
}
