/**
 * Events over sockets beside bare Socket.IO: the same texts to the same clients, which broadcasts them to a room.
 * Ratios of deliveries per second of the server's own processor time, so that clients do not count; and how long it
 * takes until the last client has an event.
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

const EVENTS = 600;
const ROUNDS = 9;
/** Events of one turn of the loop, by the number of clients. */
const LOADS = [
  { count: 100, atOnce: 1 },
  { count: 100, atOnce: 6 },
  { count: 100, atOnce: 20 },
  { count: 1_000, atOnce: 1, rounds: 3 },
];
/** Events sent one after the other, each when all clients have the one before. */
const REACHED = 300;

for (const { count, atOnce, rounds = ROUNDS } of LOADS) {
  const rate = (clients, send, run) => measure({ clients, count, atOnce, rounds }, send, run);
  const bare = await withBare(count, rate);
  const ours = await withOurs(count, rate);
  const name = `${count} clients, ${atOnce} event${atOnce === 1 ? '' : 's'} a tick`;
  figure(`${name}: bare Socket.IO`, bare, 'deliveries/s');
  figure(`${name}: events of a run`, ours, 'deliveries/s');
  figure(`${name}: ratio`, ours / bare, '', '>= 0.9');
}

const most = LOADS.at(-1).count;
const bareTimes = await withBare(most, reach);
const ourTimes = await withOurs(most, reach);
for (const [name, part] of [
  ['p50', 0.5],
  ['p99', 0.99],
]) {
  figure(
    `${most} clients, until the last has an event, ${name}: bare Socket.IO`,
    quantile(bareTimes, part),
    'ms',
  );
  figure(
    `${most} clients, until the last has an event, ${name}: events of a run`,
    quantile(ourTimes, part),
    'ms',
  );
}

async function withBare(count, use) {
  const http = createServer();
  const io = new Server(http, { perMessageDeflate: false });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const clients = await openClients(http.address().port, count, '');
  const result = await use(clients, (events) => {
    for (const { event } of events) io.emit(event.type, event);
  });
  clients.kill();
  await io.close();
  return result;
}

async function withOurs(count, use) {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-bench-'));
  const config = parseConfig({ DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'fatal', RATE_LIMIT_READ: '0' });
  const app = await createApp(config.value);
  await app.listen(0, '127.0.0.1');
  const definition = { steps: [{ id: 'wait', agent: 'scripted', input: { delayMs: 3_600_000 } }] };
  const run = await startRun(app, definition);
  const hello = `420["run.subscribe",${JSON.stringify({ runId: run.id })}]`;
  const clients = await openClients(app.getHttpServer().address().port, count, hello);
  const feed = app.get(RunFeed);
  const result = await use(clients, (events) => feed.publish('default', run.id, events), run);
  clients.kill();
  await app.close();
  rmSync(folder, { recursive: true, force: true });
  return result;
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

async function openClients(port, count, hello) {
  const clients = fork(new URL('lean-clients.mjs', import.meta.url), [String(port), String(count), hello]);
  await once(clients, 'message');
  return clients;
}

/** Sends rounds of events and answers the median of deliveries per second of processor time. */
async function measure({ clients, count, atOnce, rounds }, send, { runId = 'run_x', lastSeq = 0 } = {}) {
  const rates = [];
  let seq = lastSeq;
  for (let round = 0; round < rounds; round += 1) {
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
    rates.push((EVENTS * count) / ((user + system) / 1e6));
  }
  return median(rates);
}

/** For each of some events the milliseconds until the last client had it, ascending. */
async function reach(clients, send, { runId = 'run_x', lastSeq = 0 } = {}) {
  const times = [];
  for (let sent = 1; sent <= REACHED; sent += 1) {
    const all = once(clients, 'message');
    const began = performance.now();
    send([encoded(runId, lastSeq + sent, true)]);
    await all;
    times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b);
}

function quantile(ascending, part) {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))];
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
