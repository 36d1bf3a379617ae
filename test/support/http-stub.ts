/** A real HTTP server on every loopback address that keeps what it got and answers as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The address at which it arrived. */
  readonly at: string | undefined;
}

type Answer = (request: Received, response: ServerResponse, raw: IncomingMessage) => void;

export class HttpStub {
  received: Received[] = [];
  answer: Answer = answerHello;
  private readonly server: Server;

  constructor() {
    this.server = createServer((raw, response) => {
      const at = raw.socket.localAddress;
      const chunks: Buffer[] = [];
      raw.on('data', (chunk: Buffer) => chunks.push(chunk));
      raw.on('end', () => {
        const { method = '', url: path = '', headers } = raw;
        const request = { method, path, headers, body: Buffer.concat(chunks).toString(), at };
        this.received.push(request);
        this.answer(request, response, raw);
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The address of a path: 127.0.0.2 is what tests allow. */
  url(path = '/', host = '127.0.0.2'): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** Listens on all addresses, so that a call that should have been refused would arrive. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '0.0.0.0', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reset(): void {
    this.received = [];
    this.answer = answerHello;
  }
}

/** Answers with JSON. */
export function answerJson(json: string, status = 200, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(json);
  };
}

function answerHello(_request: Received, response: ServerResponse): void {
  response.end('hello');
}
