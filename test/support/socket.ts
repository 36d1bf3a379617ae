/** Speaking to the service over Socket.IO, as the contract has it. */
import { once } from 'node:events';

import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

import type {
  Acknowledgement,
  ClientToServerEvents,
  CommandMap,
  CommandName,
  ServerToClientEvents,
} from '../../src/events/event.contract.js';
import type { JsonObject } from '../../src/kernel/json.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { until } from './until.js';

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** A client with what it has received. */
export class SocketClient {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  /** All that came, in order: events, deltas, progress, errors. */
  readonly received: { readonly name: string; readonly content: unknown }[] = [];

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = io(url, { forceNew: true, transports: ['websocket'], reconnection: false, ...options });
    this.socket.onAny((name: string, content: unknown) => this.received.push({ name, content }));
  }

  /** A client that is connected. */
  static async open(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    const client = new SocketClient(url, options);
    await once(client.socket as unknown as EventTarget & NodeJS.EventEmitter, 'connect');
    return client;
  }

  /** Stored events of a run, in the order of their arrival. */
  events(runId: string): readonly RunEvent[] {
    return this.received
      .map(({ content }) => content as RunEvent)
      .filter((event) => event.runId === runId && Object.hasOwn(event, 'seq'));
  }

  problems(): readonly ProblemDocument[] {
    return this.contents('error') as readonly ProblemDocument[];
  }

  contents(name: keyof ServerToClientEvents): readonly unknown[] {
    return this.received.filter((item) => item.name === name).map(({ content }) => content);
  }

  /** Sends a command and waits for its answer. */
  async ask<C extends CommandName>(
    name: C,
    payload: CommandMap[C]['payload'],
  ): Promise<Acknowledgement<CommandMap[C]['result']>> {
    return (await this.askAnything(name, payload)) as Acknowledgement<CommandMap[C]['result']>;
  }

  /** Sends what may not be in the contract and waits for the answer. */
  askAnything(name: string, ...content: readonly unknown[]): Promise<Acknowledgement<unknown>> {
    const socket = this.socket as unknown as Socket;
    return socket.timeout(10_000).emitWithAck(name, ...content) as Promise<Acknowledgement<unknown>>;
  }

  /** Sends a command that must succeed. */
  async done<C extends CommandName>(
    name: C,
    payload: CommandMap[C]['payload'],
  ): Promise<CommandMap[C]['result']> {
    const answer = await this.ask(name, payload);
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.problem)}`);
    return answer.data;
  }

  /** The code of the problem that a command is answered with; undefined for a success. */
  async refusal(name: string, ...content: readonly unknown[]): Promise<string | undefined> {
    const answer = await this.askAnything(name, ...content);
    return answer.ok ? undefined : answer.problem.code;
  }

  async untilEvent(runId: string, type: string, deadlineMs = 20_000): Promise<void> {
    const has = (): boolean => this.events(runId).some((event) => event.type === type);
    await until(has, `${type} of ${runId} came`, deadlineMs);
  }

  close(): void {
    this.socket.close();
  }
}

/** The reason why a handshake is refused. */
export async function refusedWith(
  url: string,
  options: ClientOptions = {},
): Promise<ProblemDocument | undefined> {
  const { socket } = new SocketClient(url, options);
  const refused = new Promise<ProblemDocument | undefined>((resolve) => {
    socket.once('connect', () => {
      resolve(undefined);
    });
    socket.once('connect_error', (error) => {
      resolve((error as { readonly data?: ProblemDocument }).data);
    });
  });
  try {
    return await refused;
  } finally {
    socket.close();
  }
}

/** 1, 2, 3, … */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Steps of the scripted agent, each after the one before it: two events for each. */
export function chain(count: number, script: JsonObject): JsonObject {
  const steps = upTo(count).map((n) => ({
    id: `s${n}`,
    agent: 'scripted',
    input: script,
    ...(n === 1 ? {} : { dependsOn: [`s${n - 1}`] }),
  }));
  return { steps };
}
