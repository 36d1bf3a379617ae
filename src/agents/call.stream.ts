/** A call of an agent as Server-Sent Events (HTML Living Standard §9.2): what streams out, then how it ended. */
import type { ServerResponse } from 'node:http';

import { PING_MS, STREAM_HEADERS } from '../platform/http/server-sent-events.js';
import type { AgentPart } from './agent.provider.js';

/** A client that leaves so many bytes unread has gone. */
const MAX_UNREAD = 1_048_576;

export class CallStream {
  private readonly ping: NodeJS.Timeout;

  /**
   * Begins the answer.
   *
   * @param gone called when the client does not read any more
   */
  constructor(
    private readonly response: ServerResponse,
    headers: Readonly<Record<string, number | string | string[] | undefined>>,
    private readonly gone: () => void,
  ) {
    response.writeHead(200, { ...headers, ...STREAM_HEADERS });
    response.write(': stream of a call\n\n');
    this.ping = setInterval(() => response.write(': ping\n\n'), PING_MS);
  }

  /** `delta` with a piece of text, or `progress`. */
  part({ type, ...data }: AgentPart): void {
    this.send(type, data);
    if (this.response.writableLength > MAX_UNREAD) this.gone();
  }

  /** `result` with the answer, or `problem` with the problem document; nothing follows. */
  end(event: 'result' | 'problem', data: unknown): void {
    clearInterval(this.ping);
    this.send(event, data);
    this.response.end();
  }

  private send(event: string, data: unknown): void {
    if (!this.response.writableEnded)
      this.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
