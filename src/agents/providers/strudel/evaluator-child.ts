import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import { LineSplitter } from './line-splitter.js';

/** The process ended before it said anything; `complaint` is what it wrote to stderr. */
export class EvaluatorDied extends Error {
  constructor(
    message: string,
    readonly complaint = '',
  ) {
    super(message);
  }
}

/** The longest line that the evaluator may write. */
export const MAX_LINE_BYTES = 2 * 1024 * 1024;
const MAX_COMPLAINT_CHARACTERS = 2000;
const HEAP_MIB = 128;

export interface EvaluatorFiles {
  /** The compiled evaluator.worker.ts. */
  readonly entry: string;
  readonly bundle: string;
  /** Where the evaluator finds its packages. */
  readonly packages: string;
}

interface Waiting {
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One process of the evaluator: a line in, a line out, until it ends.
 *
 * It gets an empty environment, its own folder as the working directory, and may read that and its packages only.
 * It holds one waiting caller at a time; StrudelEvaluator keeps the order.
 */
export class EvaluatorChild {
  /** Resolves when the process has ended and its streams are closed. Never rejects. */
  readonly ended: Promise<void>;
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly splitter = new LineSplitter(MAX_LINE_BYTES);
  private waiting: Waiting | undefined;
  private complaint = '';
  private isEnding = false;

  constructor(files: EvaluatorFiles) {
    this.process = start(files);
    this.ended = this.watch();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** False from the moment it is killed. */
  get isAlive(): boolean {
    return !this.isEnding;
  }

  /** The next line that the process writes. Rejects when it ends before. */
  read(): Promise<string> {
    if (this.isEnding) return Promise.reject(new EvaluatorDied('it had ended', this.complaint));
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  /** Writes a line and reads the next. */
  ask(line: string): Promise<string> {
    const answer = this.read();
    this.process.stdin.write(`${line}\n`);
    return answer;
  }

  kill(): void {
    this.isEnding = true;
    this.process.kill('SIGKILL');
  }

  private watch(): Promise<void> {
    const { process: child } = this;
    child.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString('utf8')).slice(0, MAX_COMPLAINT_CHARACTERS);
    });
    // A process that ended takes no more input; that it ended is told by its `close`.
    child.stdin.on('error', () => undefined);
    return new Promise((resolve) => {
      child.on('error', (error) => this.finish(error.message, resolve));
      child.on('close', (code, signal) =>
        this.finish(`it ended with ${signal ?? `code ${code ?? '?'}`}`, resolve),
      );
    });
  }

  private take(chunk: Buffer): void {
    try {
      for (const line of this.splitter.push(chunk)) this.hand(line);
    } catch {
      this.kill();
    }
  }

  private hand(line: string): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve(line);
  }

  private finish(how: string, resolve: () => void): void {
    this.isEnding = true;
    this.waiting?.reject(new EvaluatorDied(how, this.complaint));
    this.waiting = undefined;
    resolve();
  }
}

function start({ entry, bundle, packages }: EvaluatorFiles): ChildProcessWithoutNullStreams {
  const folder = dirname(entry);
  const readable = [folder, packages].map((path) => `--allow-fs-read=${realpathSync(path)}`);
  return spawn(
    process.execPath,
    [`--max-old-space-size=${HEAP_MIB}`, '--permission', ...readable, entry, bundle],
    { cwd: folder, env: {}, stdio: ['pipe', 'pipe', 'pipe'] },
  );
}
