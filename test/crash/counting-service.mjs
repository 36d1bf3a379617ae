/**
 * The service with one more agent, `counting`: it writes a line to CALLS_FILE for each call and answers after
 * `delayMs`, with a text of `length` characters where that is asked for. A process of its own, so that a test can kill it; it speaks its address on standard output.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { AgentProvider } from '../../dist/agents/agent.provider.js';
import { Provider } from '../../dist/agents/provider.decorator.js';
import { AppModule } from '../../dist/app.module.js';
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/platform/config/load-config.js';
import { endOnSignals } from '../../dist/platform/lifecycle/shut-down.js';

const startedAt = Date.now() - performance.now();

/** A text of so many characters, another one for each key. */
function textOf(key, length) {
  return `${key} ♪ `.repeat(length / key.length + 1).slice(0, length);
}

class CountingProvider extends AgentProvider {
  check() {
    return [];
  }

  settingsSchema() {
    return { type: 'object' };
  }

  async *invoke({ stepId, attempt, input, idempotencyKey }, { signal }) {
    const text = input.length === undefined ? {} : { text: textOf(idempotencyKey, input.length) };
    const output = { stepId, idempotencyKey, ...text };
    const call = { stepId, attempt, idempotencyKey, at: now(), answer: JSON.stringify(output) };
    appendFileSync(process.env.CALLS_FILE, `${JSON.stringify(call)}\n`);
    yield { type: 'progress', percent: 0 };
    if (attempt === 1 && input.blockMs !== undefined) block(input.blockMs);
    if (input.kill === true) process.kill(process.pid, 'SIGKILL');
    await delay(input.delayMs ?? 0, undefined, { signal });
    return { status: 'completed', output };
  }
}
Provider({
  kind: 'counting',
  description: 'Counts its calls in a file.',
  agents: [{ key: 'counting', description: 'Counts its calls in a file.', settings: {} }],
})(CountingProvider);

class CountingRoot {}

/** As the service tells the time: no step of the wall clock changes it. */
function now() {
  return Math.floor(startedAt + performance.now());
}

/** Nothing else happens in this process meanwhile. */
function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const config = loadConfig().value;
const app = await createApp(config, {
  module: CountingRoot,
  imports: [AppModule.forRoot(config)],
  providers: [CountingProvider],
});
endOnSignals(app);
await app.listen(config.server.port, config.server.host);
console.log(`LISTENING ${await app.getUrl()}`);
