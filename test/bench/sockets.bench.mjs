/**
 * Events over sockets beside bare Socket.IO: the same texts to the same clients, which broadcasts them to a room.
 * Ratios of deliveries per second of the server's own processor time, so that clients do not count.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { Server } from 'socket.io';

import { createApp } from '../../dist/app.js';
import { parseConfig } from '../../dist/platform/config/config.schema.js';
import { RunFeed } from '../../dist/runs/run.feed.js';
import { RunReader } from '../../dist/runs/run.reader.js';
import { RunService } from '../../dist/runs/run.service.js';
import { figure, median } from './report.mjs';

const CLIENTS = 100;
const EVENTS = 600;
const ROUNDS = 9;
/** Events of one turn of the loop. */
const AT_ONCE = [1, 6, 20];

for (const atOnce of AT_ONCE) {
  const bare = await measureBare(atOnce);
  const ours = await measureOurs(atOnce);
  const name = `${CLIENTS} clients, ${atOnce} event${atOnce === 1 ? '' : 's'} a tick`;
  figure(`${name}: bare Socket.IO`, bare, 'deliveries/s');
  figure(`${name}: events of a run`, ours, 'deliveries/s');
  figure(`${name}: ratio`, ours / bare, '', '>= 0.9');
}

async function measureBare(atOnce) {
  const http = createServer();
  const io = new Server(http, { perMessageDeflate: false });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const clients = await openClients(http.address().port, '');
  const rate = await measure(clients, atOnce, (events) => {
    for (const { event } of events) io.emit(event.type, event);
  });
  clients.kill();
  await io.close();
  return rate;
}

async function measureOurs(atOnce) {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-bench-'));
  const config = parseConfig({ DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'fatal', RATE_LIMIT_READ: '0' });
  const app = await createApp(config.value);
  await app.listen(0, '127.0.0.1');
  const definition = { steps: [{ id: 'wait', agent: 'scripted', input: { delayMs: 3_600_000 } }] };
  const run = await startRun(app, definition);
  const hello = `420["run.subscribe",${JSON.stringify({ runId: run.id })}]`;
  const clients = await openClients(app.getHttpServer().address().port, hello);
  const feed = app.get(RunFeed);
  const rate = await measure(clients, atOnce, (events) => feed.publish('default', run.id, events), run);
  clients.kill();
  await app.close();
  rmSync(folder, { recursive: true, force: true });
  return rate;
}

/** Starts a run and answers it once nothing happens in it any more. */
async function startRun(app, definition) {
  const { run } = await app.get(RunService).start({ namespace: 'default', definition });
  const reader = app.get(RunReader);
  const from = { namespace: 'default', runId: run.id, afterSeq: 0, signal: AbortSignal.timeout(10_000) };
  for await (const item of reader.follow(from)) {
    if (item.event.event.type === 'step.started') break;
  }
  const { id: runId, lastSeq } = await reader.run('default', run.id);
  return { id: runId, runId, lastSeq };
}

async function openClients(port, hello) {
  const clients = fork(new URL('lean-clients.mjs', import.meta.url), [String(port), String(CLIENTS), hello]);
  await once(clients, 'message');
  return clients;
}

/** Sends rounds of events and answers the median of deliveries per second of processor time. */
async function measure(clients, atOnce, send, { runId = 'run_x', lastSeq = 0 } = {}) {
  const rates = [];
  let seq = lastSeq;
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = once(clients, 'message');
    const before = process.cpuUsage();
    for (let sent = 0; sent < EVENTS; sent += atOnce) {
      const events = Array.from({ length: atOnce }, (_, index) =>
        encoded(runId, ++seq, sent + index === EVENTS - 1),
      );
      send(events);
      await setImmediate();
    }
    await all;
    const { user, system } = process.cpuUsage(before);
    rates.push((EVENTS * CLIENTS) / ((user + system) / 1e6));
  }
  return median(rates);
}

function encoded(runId, seq, mark) {
  const data = { output: { text: 'x'.repeat(100) }, ...(mark ? { mark } : {}) };
  const event = {
    runId,
    seq,
    type: 'step.completed',
    at: '2026-01-31T12:00:00.000Z',
    stepId: 'write',
    attempt: 1,
    data,
  };
  return { event, text: JSON.stringify(event) };
}
