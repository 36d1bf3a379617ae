/** A Redis of a test's own, on a free port of the loopback interface, that may be killed, stopped and emptied. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { Redis } from 'ioredis';

import { aFreePort } from './free-port.js';

const READY = 'Ready to accept connections';

/** How often another port is tried when somebody was quicker. */
const ATTEMPTS = 5;

export interface RedisServerOptions {
  /** Whether what was answered survives a kill of the process. @default false */
  readonly appendOnly?: boolean;
  /** Where the folder is made that it keeps its file in. @default the one for temporary files */
  readonly parent?: string;
}

type ServerProcess = ChildProcess & { readonly stdout: Readable };

/** Outlives its kills: `restart` begins on the same port with what is on disk. `stop` ends it for good. */
export class RedisServer {
  private child: ServerProcess | undefined;

  private constructor(
    private readonly port: number,
    private readonly folder: string,
    private readonly appendOnly: boolean,
  ) {}

  /** Starts a server, and resolves once it accepts connections. @throws Error with what it said when it does not */
  static async start({
    appendOnly = false,
    parent = tmpdir(),
  }: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(parent, 'ensemble-redis-'));
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(await aFreePort(), folder, appendOnly);
      try {
        await server.run();
        return server;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends the process as `kill -9` does, stopped or not, and resolves when it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Starts it again on the same port; kills it first where it still runs. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** Stops the process without closing a connection: it takes what is sent and answers nothing. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  /** Lets a stopped process go on, with all that was sent meanwhile. */
  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Forgets every key. Subscriptions stay. */
  async flush(): Promise<void> {
    await this.ask('FLUSHALL');
  }

  /** The answer to a command, over a connection of its own. */
  async ask(command: string, ...args: readonly string[]): Promise<unknown> {
    const client = new Redis(this.url, { connectionName: 'test' });
    try {
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** Ends it for good and removes what it kept. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    const program = process.env['TEST_REDIS_SERVER'] ?? 'redis-server';
    const child = spawn(program, argumentsOf(this.port, this.folder, this.appendOnly), {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.child = child;
    await accepting(child);
  }
}

function argumentsOf(port: number, folder: string, appendOnly: boolean): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec'],
  ];
}

/** Resolves once the server says that it is ready, which is after it has loaded what is on disk. */
async function accepting(child: ServerProcess): Promise<void> {
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      said.push(line);
      if (line.includes(READY)) resolve();
    });
    child.on('error', reject);
    child.on('exit', () => {
      reject(new Error(`redis-server ended before it was ready: ${said.join('\n')}`));
    });
  });
}
