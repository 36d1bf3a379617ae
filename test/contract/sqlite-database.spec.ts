/** What SQLite alone promises: units of a group, the lock of the directory, durability. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunSummary } from '../../src/runs/domain/summary.js';
import type { RunRow } from '../../src/runs/run.catalogue.js';
import type { AppendResult } from '../../src/runs/run.store.js';
import { ManualClock } from '../support/manual-clock.js';
import { openDatabase } from '../../src/storage/sql/open-database.js';
import type { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import type { Statement } from '../../src/storage/sql/statement.js';
import { LONG_TTL_MS } from './record-scene.js';
import { countRows, storesOf } from './sql-engines.js';
import { aRun, aRunId, anAppend, anIdleSummary } from '../support/a-run.js';

let directory = '';
let database: SqlDatabase;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ensemble-sqlite-'));
  database = await openDatabase({ dataDir: directory }, new ManualClock());
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

/** A statement that writes one row. */
function tag(name: string): Statement {
  return {
    name: 'test.tag',
    sql: 'insert into run_tags (namespace, tag, run_id) values (?, ?, ?)',
    parameters: ['default', name, 'run'],
  };
}

/** A guard that fails. */
const NEVER: Statement = {
  name: 'test.never',
  sql: `update runs set epoch = 1 where id = 'none'`,
  parameters: [],
  guard: true,
};

async function tags(): Promise<readonly string[]> {
  const rows = await database.read<{ readonly tag: string }>({
    name: 'test.tags',
    sql: 'select tag from run_tags order by tag',
    parameters: [],
  });
  return rows.map((row) => row.tag);
}

describe('a unit on SQLite', () => {
  it('that fails takes nothing with it of the units it travelled with', async () => {
    await database.write({ statements: [tag('taken')] });

    const outcomes = await Promise.allSettled([
      database.write({ statements: [tag('a')] }),
      database.write({ statements: [tag('b'), tag('taken')] }),
      database.write({ statements: [tag('c')] }),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await tags()).toEqual(['a', 'c', 'taken']);
  });

  it('leaves nothing behind when a later guard fails, and answers what it asked instead', async () => {
    const otherwise: readonly Statement[] = [{ name: 'test.one', sql: 'select 1 as one', parameters: [] }];

    const [before, refused, after] = await Promise.all([
      database.write({ statements: [tag('a')] }),
      database.write({ statements: [tag('b'), NEVER, tag('c')], otherwise }),
      database.write({ statements: [tag('d')] }),
    ]);

    expect([before.held, refused.held, after.held]).toEqual([true, false, true]);
    expect(refused.results).toEqual([{ rows: [{ one: 1 }], changes: 1 }]);
    expect(await tags()).toEqual(['a', 'd']);
  });

  it('that is given up by its first guard costs its neighbours nothing', async () => {
    const outcomes = await Promise.all([
      database.write({ statements: [NEVER, tag('a')] }),
      database.write({ statements: [tag('b')] }),
    ]);

    expect(outcomes.map(({ held }) => held)).toEqual([false, true]);
    expect(await tags()).toEqual(['b']);
  });

  it('waits for a transaction under way, and sees what it committed', async () => {
    const gate = Promise.withResolvers<undefined>();
    const written = Promise.withResolvers<undefined>();
    const transaction = database.kysely.transaction().execute(async (db) => {
      await db.insertInto('run_tags').values({ namespace: 'default', tag: 'first', run_id: 'run' }).execute();
      written.resolve(undefined);
      await gate.promise;
    });
    await written.promise;
    const unit = expect(database.write({ statements: [tag('first')] })).rejects.toThrow('UNIQUE');
    expect(await tags()).toEqual([]);

    gate.resolve(undefined);
    await transaction;

    await unit;
    expect(await tags()).toEqual(['first']);
  });

  it('goes on after a transaction that was rolled back', async () => {
    const failed = database.kysely.transaction().execute(async (db) => {
      await db
        .insertInto('run_tags')
        .values({ namespace: 'default', tag: 'undone', run_id: 'run' })
        .execute();
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');

    await database.write({ statements: [tag('a')] });

    expect(await tags()).toEqual(['a']);
  });
});

describe('appends of one claim on SQLite', () => {
  it('notice what happens to their run between two of them', async () => {
    const stores = storesOf(database);
    const claim = { runId: aRunId(), ownerId: 'own_1', epoch: 1 };
    await stores.lease.renew(claim.ownerId, LONG_TTL_MS);
    await stores.runs.create({ run: aRun({ id: claim.runId }), ownerId: claim.ownerId });
    let expectedSeq = 0;
    const append = (fields: Partial<RunSummary> = {}): Promise<AppendResult> => {
      const summary = anIdleSummary({ status: 'running', ...fields });
      expectedSeq += 1;
      return stores.runs.append(anAppend(claim, { expectedSeq, summary }));
    };
    const row = (): Promise<RunRow | undefined> => stores.catalogue.find('default', claim.runId);

    expect(await append()).toEqual({ outcome: 'appended', inboxSeq: 0 });
    expect(await append({ stepsCompleted: 7, wakeAt: 5 })).toEqual({ outcome: 'appended', inboxSeq: 0 });
    expect((await row())?.summary).toMatchObject({ status: 'running', stepsCompleted: 7, wakeAt: 5 });

    expect(await append({ status: 'paused' })).toEqual({ outcome: 'appended', inboxSeq: 0 });
    expect((await row())?.summary.status).toBe('paused');

    const at = { namespace: 'default', runId: claim.runId, command: { type: 'resume' }, at: 1 } as const;
    await stores.inbox.put(at);
    expect(await append({ status: 'paused' })).toEqual({ outcome: 'appended', inboxSeq: 1 });
    expect(await append({ status: 'paused' })).toEqual({ outcome: 'appended', inboxSeq: 1 });
    expect((await row())?.summary.wakeAt).toBeDefined();

    await stores.lease.retire({ ownerId: claim.ownerId });
    expect(await append({ status: 'paused' })).toEqual({ outcome: 'appended', inboxSeq: 1 });
    await stores.lease.renew('own_2', LONG_TTL_MS);
    await stores.lease.claim(claim.runId, 'own_2');
    expect(await append({ status: 'paused' })).toEqual({ outcome: 'refused' });
    expect((await row())?.lastSeq).toBe(7);
  });
});

describe('the directory of a SQLite record', () => {
  it('is refused to a second process, which is told its name', async () => {
    const output = await outputOf(child(OPEN));

    expect(output).toContain('store.locked');
    expect(output).toContain(directory);
  });

  it('is refused to a second database of the same process', async () => {
    await expect(openDatabase({ dataDir: directory }, new ManualClock())).rejects.toMatchObject({
      failure: { code: 'store.locked' },
    });
  });

  it('is free again once the database is closed, with everything in it', async () => {
    const run = aRun();
    await storesOf(database).runs.create({ run });
    await database.close();

    database = await openDatabase({ dataDir: directory }, new ManualClock());

    expect(await countRows(database, 'runs')).toBe(1);
  });

  it('holds what was acknowledged before its process was killed, and is free at once', async () => {
    await database.close();
    const process = child(CREATE_AND_WAIT);
    const line = await firstLine(process);
    process.kill('SIGKILL');
    await once(process, 'exit');

    database = await openDatabase({ dataDir: directory }, new ManualClock());

    expect(await storesOf(database).catalogue.find('default', line)).toMatchObject({ id: line });
  });
});

describe('a closed SQLite database', () => {
  it('has answered what was asked before', async () => {
    const units = Array.from({ length: 100 }, (_, index) =>
      database.write({ statements: [tag(String(index))] }),
    );
    const reading = tags();

    await database.close();

    expect((await Promise.all(units)).every(({ held }) => held)).toBe(true);
    expect(await reading).toEqual(expect.any(Array));
  });

  it('refuses what comes later instead of waiting for ever', async () => {
    await database.close();

    await expect(storesOf(database).runs.create({ run: aRun() })).rejects.toMatchObject({
      failure: { code: 'store.unavailable', retryable: true },
    });
    await expect(storesOf(database).catalogue.find('default', aRunId())).rejects.toMatchObject({
      failure: { code: 'store.unavailable' },
    });
    await expect(database.ping()).rejects.toMatchObject({ failure: { code: 'store.unavailable' } });
  });
});

const IMPORTS = `
  import { openDatabase } from './dist/storage/sql/open-database.js';
  import { SqlRunStore } from './dist/storage/sql/sql-run.store.js';
  import { SystemClock } from './dist/platform/clock/clock.js';
  const open = () => openDatabase({ dataDir: process.env.TEST_DIRECTORY }, new SystemClock());`;

const OPEN = `${IMPORTS}
  await open().then(() => console.log('opened'), (error) => console.log(error.failure.code, error.message));`;

const CREATE_AND_WAIT = `${IMPORTS}
  const database = await open();
  const run = JSON.parse(process.env.TEST_RUN);
  await new SqlRunStore(database).create({ run });
  console.log(run.id);`;

/** Another process on the same directory; it lives as long as its database is open. */
function child(source: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    env: { ...process.env, TEST_DIRECTORY: directory, TEST_RUN: JSON.stringify(aRun()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Resolves once the process has said something. */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('The process has no output.');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  return chunk.toString().trim();
}

async function outputOf(process: ChildProcess): Promise<string> {
  let output = '';
  process.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(process, 'exit');
  return output;
}
