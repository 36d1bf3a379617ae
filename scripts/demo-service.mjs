/** The service of the demo: a process of its own on a folder of its own, with the embedded store. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { fromRoot } from './root.mjs';

/** What the service may know of the environment; everything else has its default. */
const PASSED_ON = ['PATH', 'HOME', 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'CLAUDE_MODEL'];
const READY = /^Ensemble is ready on (http\S+)/m;

export class DemoService {
  #dataDir;
  #child;
  #output = '';
  #url;

  constructor(dataDir) {
    this.#dataDir = dataDir;
  }

  get url() {
    return this.#url;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts the process, on the same port as before, and resolves when it is ready. */
  async start() {
    const env = Object.fromEntries(
      PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    );
    const port = this.#url === undefined ? '0' : new URL(this.#url).port;
    this.#output = '';
    this.#child = spawn(process.execPath, [fromRoot('dist/main.js')], {
      env: { ...env, PORT: port, HOST: '127.0.0.1', DATA_DIR: this.#dataDir, LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#url = await this.#ready();
  }

  /** Ends the process as `kill -9` does. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** Asks the process to end, and waits for it. */
  stop() {
    return this.#end('SIGTERM');
  }

  /** Ends the process without waiting for it. */
  abandon() {
    this.#child?.kill('SIGKILL');
  }

  async #end(signal) {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  #ready() {
    return new Promise((resolve, reject) => {
      const read = (chunk) => {
        this.#output += chunk;
        const url = READY.exec(this.#output)?.[1];
        if (url !== undefined) resolve(url);
      };
      this.#child.stdout.on('data', read);
      this.#child.stderr.on('data', read);
      this.#child.once('exit', () =>
        reject(new Error(`The service did not start. It said:\n${this.#output}`)),
      );
    });
  }
}
