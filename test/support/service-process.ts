/**
 * The service as operators run it: a process of its own that tests kill, stop, freeze and start again. It writes its log
 * to a file, so that it never waits for a test to read; the file goes with the process, what it said stays.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { until } from './until.js';

/** What a process is started from. */
export interface ServiceOptions {
  /** How it is called in what tests say. @default service */
  readonly name?: string;
  /** From the repository's folder; speaks its address as `LISTENING <url>` or as the service does. @default dist/main.js */
  readonly script?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How a process has ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a process may take until it listens. */
const START_DEADLINE_MS = 90_000;

const PACE_MS = 20;

/** What a process says once it listens: the product's line, and that of scripts of the tests. */
const LISTENING = /^(?:Ensemble is ready on|LISTENING) (http:\/\/\S+)/m;

/** What a process says when it ends by what nobody caught. */
const UNCAUGHT = /unhandledRejection|uncaughtException|UnhandledPromiseRejection|FATAL ERROR/;

export class ServiceProcess {
  /** Resolves when the process has ended, however that was. */
  readonly ended: Promise<ProcessEnd>;
  private end: ProcessEnd | undefined;
  private lastLog = '';
  private isExpectedToEnd = false;
  private address = '';

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    this.ended = once(child, 'exit').then(([code, signal]) => {
      this.lastLog = this.log;
      rmSync(this.folder, { recursive: true, force: true });
      this.end = { code: code as number | null, signal: signal as NodeJS.Signals | null };
      return this.end;
    });
  }

  /**
   * Starts a process and waits until it listens.
   *
   * @throws Error with what it wrote, when it ends before or does not listen in time
   */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = ServiceProcess.spawn(options);
    await service.listening();
    return service;
  }

  /** Starts a process that may have to wait for others before it listens. */
  static spawn({ name = 'service', script = 'dist/main.js', env }: ServiceOptions): ServiceProcess {
    const folder = mkdtempSync(join(tmpdir(), `ensemble-${name}-`));
    const log = openSync(join(folder, 'log'), 'w');
    const child = spawn(process.execPath, [resolve(script)], {
      env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: folder, LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', log, log],
      cwd: folder,
    });
    closeSync(log);
    return new ServiceProcess(name, child, folder);
  }

  /** `http://127.0.0.1:<port>` without a slash at the end. */
  get url(): string {
    return this.address;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.end === undefined;
  }

  /** Everything that it has written so far. */
  get log(): string {
    return this.isAlive ? readFileSync(join(this.folder, 'log'), 'utf8') : this.lastLog;
  }

  /** Resolves when it says that it listens; one that does not is killed. @throws Error with its log */
  async listening(deadlineMs = START_DEADLINE_MS): Promise<void> {
    const hasSpoken = (): boolean => {
      const [, url] = LISTENING.exec(this.log) ?? [];
      if (url === undefined && !this.isAlive)
        throw new Error(`${this.name} ended before it listened: ${this.log}`);
      this.address = (url ?? '').replace('[::1]', '127.0.0.1').replace('localhost', '127.0.0.1');
      return url !== undefined;
    };
    await until(hasSpoken, `${this.name} listens`, deadlineMs, PACE_MS).catch(async (error: unknown) => {
      await this.kill();
      throw error;
    });
  }

  /** Resolves when it says that it may be sent requests. */
  async ready(deadlineMs = START_DEADLINE_MS): Promise<void> {
    await until(() => this.isReady(), `${this.name} is ready`, deadlineMs, PACE_MS);
  }

  /** Whether it says that it may be sent requests. */
  async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  /** Ends it as `kill -9` does, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.isExpectedToEnd = true;
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Says that it may end by itself: a step of a test kills it. */
  expectDeath(): void {
    this.isExpectedToEnd = true;
  }

  /** Asks it to stop, and resolves with how it has ended. */
  async stop(): Promise<ProcessEnd> {
    this.child.kill('SIGTERM');
    const end = await this.ended;
    if (end.code === 0) this.isExpectedToEnd = true;
    return end;
  }

  /** Stops its execution where it stands (SIGSTOP). */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  /** Lets it go on (SIGCONT). */
  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** I13: that it died though nobody killed it, or said that something was not caught. */
  troubles(): readonly string[] {
    const lines = this.log.split('\n').filter((line) => UNCAUGHT.test(line));
    if (this.end === undefined || this.isExpectedToEnd) return lines.map((line) => `${this.name}: ${line}`);
    const { code, signal } = this.end;
    const end = `ended with ${String(code ?? signal)}: ${this.log.slice(-2_000)}`;
    return [...lines, end].map((line) => `${this.name}: ${line}`);
  }
}
