/** A process that is killed gives its slots back: they are leased. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Api } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

let folder: string;
let service: ServiceProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-slots-'));
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

const calls = (): number => {
  const file = join(folder, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
};

async function restart(): Promise<Api> {
  service = await startCounting(folder);
  return new Api(service.url);
}

it('lets the next call in when the lease of the dead has run out, and not before', async () => {
  let api = await restart();
  await api.post('/agents', { key: 'single', kind: 'counting', limits: { maxConcurrency: 1 } });
  const held = api.post('/agents/single/execute', { input: { delayMs: 60_000 } }).catch(() => undefined);
  await until(() => calls() === 1, 'the first call is made');
  await service.kill();
  await held;
  api = await restart();

  const early = await api.post<{ code: string }>('/agents/single/execute', { input: {}, timeoutMs: 500 });
  const late = await api.post('/agents/single/execute', { input: {}, timeoutMs: 30_000 });

  expect(early.body.code).toBe('agent.timed-out');
  expect(late.status).toBe(200);
  expect(calls()).toBe(2);
});
