/** A trace is sent though its exporter dies, or its collector is away, while it is being sent. */
import { LogFollowers } from '../../src/runs/log-followers.js';
import { TraceExport } from '../../src/metrics/trace-export.js';
import { encodeEvent } from '../../src/runs/domain/run.events.js';
import { traceIdOf } from '../../src/kernel/trace-context.js';
import { MemoryLogCursorStore } from '../../src/storage/memory/memory-log-cursor.store.js';
import { MemoryRecord } from '../../src/storage/memory/memory-record.js';
import { MemoryRunLog } from '../../src/storage/memory/memory-run.log.js';
import { MemoryRunStore } from '../../src/storage/memory/memory-run.store.js';
import type { Violation } from '../support/invariants/evidence.js';
import { aRoster } from '../support/duties.js';
import { aRun } from '../support/a-run.js';
import { SimulatedRun, RUN_ID } from '../support/simulated-run.js';
import { SimulatedClock, SimulatedFeed } from './process-parts.js';
import { VirtualTime } from './virtual-time.js';

const ENDPOINT = 'http://collector.test';

/** What was violated; nothing when the collector has the trace of the run in the end. */
export async function sendTraceAcrossADeath(): Promise<readonly Violation[]> {
  const record = new MemoryRecord(new SimulatedClock(new VirtualTime()));
  const cursors = new MemoryLogCursorStore();
  const first = exporterOf(record, cursors);
  await first.cursor(); // from here on
  const run = SimulatedRun.of({ steps: [{ id: 'only', agent: 'scripted' }] });
  run.takeUp();
  run.finish(() => ({ output: 'done' }));
  record.create({ run: aRun({ id: RUN_ID, events: run.events.map(encodeEvent) }) });

  const received = await withCollector([503, 200], async () => {
    await takeOnce(first, record).catch(() => undefined); // the collector is away, and the process dies
    await takeOnce(exporterOf(record, cursors), record);
  });
  if (received.some((body) => body.includes(traceIdOf(RUN_ID)))) return [];
  const message = 'the cursor has passed the end of the run, and its trace was never sent';
  return [{ invariant: 'I6', runId: RUN_ID, message }];
}

function exporterOf(record: MemoryRecord, cursors: MemoryLogCursorStore): TraceExport {
  const config = { endpoint: ENDPOINT, headers: {}, serviceName: 'ensemble' };
  const feed = new SimulatedFeed({ published: () => undefined });
  const log = new MemoryRunLog(record);
  const followers = new LogFollowers(log, feed);
  return new TraceExport(config, cursors, new MemoryRunStore(record), log, followers, aRoster());
}

async function takeOnce(exporter: TraceExport, record: MemoryRecord): Promise<void> {
  const from = await exporter.cursor();
  const page = await new MemoryRunLog(record).readAfter(from, 1_000);
  if (page.entries.length > 0) await exporter.take(from, page);
}

/** Bodies that the collector has taken, while it answers with these statuses one after the other. */
async function withCollector(statuses: number[], work: () => Promise<void>): Promise<readonly string[]> {
  const taken: string[] = [];
  const real = globalThis.fetch;
  globalThis.fetch = (_url, init) => {
    const status = statuses.shift() ?? 200;
    if (status === 200) taken.push(init?.body as string);
    return Promise.resolve(new Response(null, { status }));
  };
  try {
    await work();
    return taken;
  } finally {
    globalThis.fetch = real;
  }
}
