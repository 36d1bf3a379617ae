/** A service in a process of its own, on a folder that outlives it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ChildService {
  readonly url: string;
  readonly pid: number;
  /** Ends the process as `kill -9` does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks the process to stop, and resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Resolves when the process has ended by itself. */
  readonly exited: Promise<unknown>;
}

/**
 * Starts a script of the tests with this Node and waits until it says `LISTENING <url>`.
 *
 * @throws Error with what it wrote, when it ends before
 */
export async function startChild(
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildService> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'fatal', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const url = await listening(child);
  return {
    url: url.replace('[::1]', '127.0.0.1').replace('localhost', '127.0.0.1'),
    pid: child.pid ?? 0,
    exited,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

async function listening(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  for await (const line of createInterface(child.stdout)) {
    const url = /^LISTENING (.*)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the service ended before it listened: ${errors.join('')}`);
}
