/** The service without HTTP, on a record of its own, for benchmarks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NestFactory } from '@nestjs/core';
import { sql } from 'kysely';

import { AppModule } from '../../dist/app.module.js';
import { parseConfig } from '../../dist/platform/config/config.schema.js';
import { RunFeed } from '../../dist/runs/run.feed.js';
import { RunReader } from '../../dist/runs/run.reader.js';
import { RunService } from '../../dist/runs/run.service.js';
import { SqlDatabase } from '../../dist/storage/sql/sql-database.js';

/** Opens the service on SQLite in a temporary folder, or on the PostgreSQL that `databaseUrl` names. */
export async function openService({ databaseUrl, ...env } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-bench-'));
  const config = parseConfig({
    DATA_DIR: folder,
    LOG_LEVEL: 'fatal',
    AGENT_MAX_WORKFLOW_STEPS: '20000',
    AGENT_MAX_QUEUE_SIZE: '100000',
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...env,
  });
  if (!config.ok) throw new Error(JSON.stringify(config.failure));
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config.value), { logger: false });
  return new BenchService(app, folder);
}

class BenchService {
  constructor(app, folder) {
    this.app = app;
    this.folder = folder;
    this.runs = app.get(RunService, { strict: false });
    this.reader = app.get(RunReader, { strict: false });
    this.feed = app.get(RunFeed, { strict: false });
    this.database = app.get(SqlDatabase, { strict: false });
  }

  /** Notes when appends of runs became durable, from now on; one watch at a time. */
  watchAppends() {
    const times = [];
    const firstOf = new Map();
    const publish = Object.getPrototypeOf(this.feed).publish;
    this.feed.publish = (namespace, runId, events) => {
      const now = performance.now();
      times.push(now);
      if (!firstOf.has(runId)) firstOf.set(runId, now);
      publish.call(this.feed, namespace, runId, events);
    };
    return {
      intervals: () => times.slice(1).map((time, index) => time - times[index]),
      first: (runId) => firstOf.get(runId),
    };
  }

  /** Notes the CPU time of the process, in microseconds, at each event of a type, from now on; one watch at a time. */
  watchCpu(type) {
    const times = [];
    const publish = Object.getPrototypeOf(this.feed).publish;
    this.feed.publish = (namespace, runId, events) => {
      const { user, system } = process.cpuUsage();
      for (const { event } of events) if (event.type === type) times.push(user + system);
      publish.call(this.feed, namespace, runId, events);
    };
    return times;
  }

  /** Runs a definition to its end; answers milliseconds from the call to the terminal event. */
  async run(definition, request = {}) {
    const startedAt = performance.now();
    const { run } = await this.runs.start({ namespace: 'default', definition, ...request });
    await this.end(run.id);
    return { ms: performance.now() - startedAt, id: run.id };
  }

  async end(runId) {
    const follow = { namespace: 'default', runId, afterSeq: 0, signal: AbortSignal.timeout(600_000) };
    for await (const { event } of this.feed.follow(follow)) {
      if (event?.event.type === 'run.failed') throw new Error(event.text);
    }
  }

  /** Milliseconds of single transactions that insert one row of this text through the same driver. */
  async writes(text, count) {
    await sql`create table if not exists bench_writes (run_id text not null, events text not null)`.execute(
      this.database.kysely,
    );
    const insert = this.database.prepare('bench.write', (p) =>
      this.database.kysely.insertInto('bench_writes').values({ run_id: p.run_id, events: p.events }),
    );
    const samples = [];
    for (let i = 0; i < count; i += 1) {
      const startedAt = performance.now();
      await this.database.write({ statements: [insert.bind({ run_id: `run_${i}`, events: text })] });
      samples.push(performance.now() - startedAt);
    }
    return samples;
  }

  async close() {
    await sql`drop table if exists bench_writes`.execute(this.database.kysely);
    await this.app.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A chain of steps that do nothing. */
export function chain(count) {
  return {
    steps: Array.from({ length: count }, (_, index) => ({
      id: `s${index}`,
      agent: 'scripted',
      ...(index === 0 ? {} : { dependsOn: [`s${index - 1}`] }),
    })),
  };
}

/** Layers of `width` steps, each depending on two of the layer above. */
export function layers(count, width) {
  return {
    maxParallelSteps: 100,
    steps: Array.from({ length: count }, (_, index) => ({
      id: `s${index}`,
      agent: 'scripted',
      ...(index < width
        ? {}
        : {
            dependsOn: [`s${index - width}`, `s${index - width - (index % width) + ((index + 1) % width)}`],
          }),
    })),
  };
}

/** One step, carried out once for each element of a list. */
export function map(count) {
  const items = Array.from({ length: count }, (_, index) => index);
  return { maxParallelSteps: 100, steps: [{ id: 'map', agent: 'scripted', forEach: { items } }] };
}

/** One step, repeated until its condition holds, which it does in the last iteration. */
export function loop(count) {
  const repeat = { maxIterations: count, until: `iteration == ${count - 1}` };
  return { steps: [{ id: 'loop', agent: 'scripted', repeat }] };
}

/** Ten steps: a head, eight in two rows of four, a tail. */
export function diamond() {
  const row = (name, above) =>
    Array.from({ length: 4 }, (_, index) => ({
      id: `${name}${index}`,
      agent: 'scripted',
      dependsOn: above(index),
    }));
  return {
    steps: [
      { id: 'head', agent: 'scripted' },
      ...row('a', () => ['head']),
      ...row('b', (index) => [`a${index}`]),
      { id: 'tail', agent: 'scripted', dependsOn: ['b0', 'b1', 'b2', 'b3'] },
    ],
  };
}
