/** Readiness after a write has found no room: the service tries by itself whether there is some again. */
import { AppError } from '../../src/kernel/failure.js';
import { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { storageErrors } from '../../src/storage/sql/storage.errors.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp();
});

afterAll(() => running.close());

async function ready(): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${running.url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

it('is not ready, and says why, until a write of some size succeeds; it leaves nothing behind', async () => {
  const database = running.app.get(SqlDatabase);
  database.room.note(AppError.of(storageErrors['store.full'], 'no room'));

  expect(await ready()).toMatchObject({
    status: 503,
    body: { error: { record: { status: 'down', reason: 'the disk of the record is full' } } },
  });
  await until(async () => (await ready()).status === 200, 'it is ready', 20_000, 100);
  const sql = "select 1 from blobs where namespace = ''";
  expect(await database.read({ name: '', sql, parameters: [] })).toEqual([]);
});
