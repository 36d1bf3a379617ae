/** Socket clients that stop reading, and what that does to the service, as the system sees it. */
import { readFileSync } from 'node:fs';
import type { Socket as TcpSocket } from 'node:net';

import type { SocketClient } from './socket.js';

const MIB = 1_048_576;

/** Memory of a process that is in use, in MiB (proc(5), VmRSS). */
export function residentMib(pid: number): number {
  const [, kib = '0'] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return (Number(kib) * 1_024) / MIB;
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
