/** A receiver of webhooks, which checks what it gets as the standard tells receivers to, with code of its own. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

import type { RunEvent } from '../../src/runs/domain/run.events.js';

/** A message that arrived. */
export interface Received {
  readonly id: string;
  readonly body: string;
  readonly event: RunEvent;
  readonly headers: IncomingHttpHeaders;
}

/** How a message is answered; 204 without a word. */
export type Reply = (received: Received, response: ServerResponse) => void;

export class WebhookReceiver {
  /** Everything that arrived with a signature that is right, in order; also what was answered with an error. */
  readonly received: Received[] = [];
  /** Messages whose signature was wrong. */
  readonly forged: string[] = [];
  /** Without a secret nothing is checked. */
  secret: string | undefined;
  reply: Reply = (_received, response) => response.writeHead(204).end();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer((request, response) => void receiver.take(request, response));
    const receiver = new WebhookReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get host(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  get url(): string {
    return `http://${this.host}/events`;
  }

  /** What arrived of a run, each id once, in the order in which it arrived first. */
  firstsOf(runId: string): readonly Received[] {
    const firsts = new Map<string, Received>();
    for (const received of this.received)
      if (received.event.runId === runId && !firsts.has(received.id)) firsts.set(received.id, received);
    return [...firsts.values()];
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const id = String(request.headers['webhook-id']);
    if (!this.isSigned(request.headers, body)) {
      this.forged.push(id);
      response.writeHead(401).end();
      return;
    }
    const received = { id, body, event: JSON.parse(body) as RunEvent, headers: request.headers };
    this.received.push(received);
    this.reply(received, response);
  }

  private isSigned(headers: IncomingHttpHeaders, body: string): boolean {
    if (this.secret === undefined) return true;
    const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
    if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
    const key = Buffer.from(this.secret.replace(/^whsec_/, ''), 'base64');
    const expected = createHmac('sha256', key).update([id, timestamp, body].join('.')).digest();
    return String(headers['webhook-signature'])
      .split(' ')
      .filter((signature) => signature.startsWith('v1,'))
      .map((signature) => Buffer.from(signature.slice(3), 'base64'))
      .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  }
}
