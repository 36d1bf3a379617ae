/** Following a run over Socket.IO. */
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { tcpOf } from '../support/slow-clients.js';
import { SocketClient } from '../support/socket.js';
import { Line, type Cut, type LineOptions } from './line.js';

/** Which transports a client uses: the one alone, or, as is the default of clients, by way of polling. */
export type Transports = readonly ('websocket' | 'polling')[];

export class SocketLine extends Line {
  private readonly client: SocketClient;

  constructor(
    private readonly options: LineOptions,
    transports: Transports = ['websocket'],
  ) {
    super();
    this.client = new SocketClient(options.url, { transports: [...transports] });
    const { socket } = this.client;
    socket.onAny((name: string, content: unknown) => this.hear(name, content));
    socket.once('connect', () => void this.subscribe());
    socket.once('connect_error', () => this.states.end());
    socket.once('disconnect', () => this.states.end());
  }

  override cut(how: Cut): void {
    if (this.states.isOver) return;
    this.states.end();
    const { engine } = this.client.socket.io;
    // Before it is connected, and while it is polling, there is no connection of its own.
    const hasTcp = this.client.socket.connected && engine.transport.name === 'websocket';
    if (how === 'closed' || !hasTcp) engine.close();
    else if (how === 'ended') tcpOf(this.client).destroy();
    else tcpOf(this.client).resetAndDestroy();
  }

  override leave(): void {
    this.states.end();
    this.client.close();
  }

  private async subscribe(): Promise<void> {
    const { runId, afterSeq } = this.options;
    const answer = this.client.ask('run.subscribe', { runId, afterSeq }).catch(() => undefined);
    this.states.ask();
    const answered = await answer;
    if (answered === undefined || this.states.isOver) {
      this.leave(); // not answered in time, or cut meanwhile
      return;
    }
    if (!answered.ok) this.endWith(answered.problem);
    else if ('reset' in answered.data) this.options.onSurprise(`${runId} was answered with a reset`);
    else this.states.enter();
  }

  private hear(name: string, content: unknown): void {
    if (this.states.isOver) return;
    const { runId, onEvent, onSurprise } = this.options;
    if (name === 'error') {
      this.endWith(content as ProblemDocument);
      return;
    }
    const event = content as RunEvent;
    if (name === 'reset') onSurprise(`${runId} was reset while it was followed`);
    if (event.runId !== runId || !Object.hasOwn(event, 'seq')) return;
    if (event.type !== name) onSurprise(`${event.type} of ${runId} came as ${name}`);
    onEvent(event);
  }

  /** The subscription is refused or has ended: for good, or because the record is away. */
  private endWith({ code, detail, retryable }: ProblemDocument): void {
    if (!retryable) this.options.onSurprise(`${code}: ${detail}`);
    this.leave();
  }
}
