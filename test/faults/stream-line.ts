/** Following a run over Server-Sent Events, as `curl -N` does: one request, and what comes until it ends. */
import { get, type ClientRequest, type IncomingMessage } from 'node:http';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Line, type Cut, type LineOptions } from './line.js';

export class StreamLine extends Line {
  private readonly request: ClientRequest;
  /** What has come of a frame that is not complete: it counts as never received. */
  private rest = '';

  constructor(private readonly options: LineOptions) {
    super();
    const { url, runId, afterSeq } = options;
    this.request = get(`${url}/api/v1/runs/${runId}/events`, {
      agent: false,
      headers: { accept: 'text/event-stream', ...(afterSeq > 0 && { 'last-event-id': String(afterSeq) }) },
    });
    this.request.once('finish', () => this.states.ask());
    this.request.once('response', (response) => this.read(response));
    this.request.on('error', () => this.states.end());
    this.request.once('close', () => this.states.end());
  }

  override cut(how: Cut): void {
    if (this.states.isOver) return;
    this.states.end();
    if (how === 'closed') this.request.destroy();
    else if (how === 'ended') this.request.socket?.destroy();
    else this.request.socket?.resetAndDestroy();
  }

  override leave(): void {
    this.states.end();
    this.request.destroy();
  }

  private read(response: IncomingMessage): void {
    const { statusCode = 0 } = response;
    response.on('error', () => this.states.end());
    if (statusCode !== 200) {
      if (statusCode < 500) this.options.onSurprise(`the stream was answered with ${statusCode}`);
      this.leave();
      return;
    }
    this.states.enter();
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
  }

  private take(text: string): void {
    const frames = (this.rest + text).split('\n\n');
    this.rest = frames.pop() ?? '';
    for (const frame of frames) if (!this.states.isOver) this.hear(frame);
  }

  private hear(frame: string): void {
    const data = fieldOf(frame, 'data');
    if (data === undefined) return; // a comment
    const { runId, onEvent, onSurprise } = this.options;
    const name = fieldOf(frame, 'event') ?? 'nothing';
    if (name === 'reset') {
      onSurprise(`${runId} was reset`);
      return;
    }
    const event = JSON.parse(data) as RunEvent;
    const id = fieldOf(frame, 'id') ?? 'no id';
    if (id !== String(event.seq) || name !== event.type)
      onSurprise(`${event.type} ${event.seq} of ${runId} came as ${name} under ${id}`);
    onEvent(event);
  }
}

/** A field of a frame that has one line of it. Lines end as HTML Living Standard §9.2.6 says, not as expressions do. */
function fieldOf(frame: string, name: string): string | undefined {
  const line = frame.split('\n').find((one) => one.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}
