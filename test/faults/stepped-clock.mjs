/**
 * Preloaded into a process (`NODE_OPTIONS=--import`): its wall clock is off by as many milliseconds as CLOCK_FILE says.
 * The file is read again on SIGUSR2. Monotonic time goes on as it is.
 */
import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;

function read() {
  offsetMs = Number(readFileSync(process.env.CLOCK_FILE, 'utf8'));
}

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...given);
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
};

read();
process.on('SIGUSR2', read);
