/**
 * Preloaded into a process (`NODE_OPTIONS=--import`): on SIGUSR2 its event loop is blocked for as long as there is a file
 * at BLOCK_FILE, which takes no core. It says when it begins and when it is over.
 */
import { existsSync, writeSync } from 'node:fs';

const LOOK_MS = 50;
const STANDARD_ERROR = 2;
const never = new Int32Array(new SharedArrayBuffer(4));

process.on('SIGUSR2', () => {
  writeSync(STANDARD_ERROR, 'BLOCKED\n');
  while (existsSync(process.env.BLOCK_FILE)) Atomics.wait(never, 0, 0, LOOK_MS);
  writeSync(STANDARD_ERROR, 'WOKEN\n');
});
