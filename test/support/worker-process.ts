/** Workers in processes of their own: the example client, doing what the input of each task says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type { Json } from '../../src/kernel/json.js';
import { until } from './until.js';

/** A task as a worker got it. */
export interface TakenTask {
  readonly input: Json;
  readonly idempotencyKey: string;
  readonly attempt: number;
}

export class WorkerProcess {
  private readonly lines: string[] = [];
  private readonly exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = once(child, 'exit');
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.lines.push(line));
  }

  /** Starts a worker; it polls as soon as it can. */
  static start(serviceUrl: string, env: Readonly<Record<string, string>> = {}): WorkerProcess {
    const child = spawn(process.execPath, ['test/e2e/worker-process.mjs'], {
      env: { PATH: process.env['PATH'], SERVICE_URL: serviceUrl, NODE_NO_WARNINGS: '1', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return new WorkerProcess(child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when the worker has said a line that begins so. */
  async says(beginning: string): Promise<string> {
    await until(() => this.find(beginning) !== undefined, `the worker says ${beginning}`, 20_000);
    return this.find(beginning) ?? '';
  }

  /** Every task that it took so far, in order. */
  tasks(): readonly TakenTask[] {
    const said = this.lines.filter((line) => line.startsWith('TASK '));
    return said.map((line) => JSON.parse(line.slice(5)) as TakenTask);
  }

  /** Ends the process as `kill -9` does. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private find(beginning: string): string | undefined {
    return this.lines.find((line) => line.startsWith(beginning));
  }
}
