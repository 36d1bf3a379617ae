/** Secrets over REST, and where their values are not. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { SecretSource } from '../../src/platform/ports/secret.source.js';
import { createLogger } from '../../src/platform/logging/create-logger.js';
import { Api } from '../support/api.js';
import { makeDataDir, startApp, testConfig, type RunningApp } from '../support/app.js';

const CANARY = 'canary-7f3a "quoted" value';

interface Item {
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

let dataDir: string;
let service: RunningApp;
let api: Api;

beforeEach(async () => {
  dataDir = makeDataDir();
  await start();
});

afterEach(async () => {
  await service.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}): Promise<void> {
  service = await startApp({ dataDir, env });
  api = new Api(service.url);
}

async function restart(env: Record<string, string> = {}): Promise<void> {
  await service.close();
  await start(env);
}

const valueOf = (name: string, namespace = 'default'): Promise<string> =>
  service.app.get(SecretSource, { strict: false }).get(namespace, name);

it('sets, lists and deletes secrets, and shows no value', async () => {
  const made = await api.put<Item>('/secrets/weather.api_key-1', { value: CANARY });
  const changed = await api.put<Item>('/secrets/weather.api_key-1', { value: `${CANARY} 2` });
  const listed = await api.get<{ readonly items: readonly Item[] }>('/secrets');

  expect([made.status, changed.status]).toEqual([200, 200]);
  expect(Object.keys(made.body)).toEqual(['name', 'createdAt', 'updatedAt']);
  expect(changed.body.createdAt).toBe(made.body.createdAt);
  expect(listed.body.items.map(({ name }) => name)).toEqual(['example-old', 'weather.api_key-1']);
  expect(JSON.stringify([made, changed, listed])).not.toContain('canary');
  expect(await valueOf('weather.api_key-1')).toBe(`${CANARY} 2`);

  expect((await api.delete('/secrets/weather.api_key-1')).status).toBe(204);
  expect(await api.delete('/secrets/weather.api_key-1')).toMatchObject({
    status: 404,
    body: { code: 'secret.not-found', detail: 'There is no secret "weather.api_key-1".' },
  });
  await expect(valueOf('weather.api_key-1')).rejects.toMatchObject({ failure: { code: 'secret.not-found' } });
});

it.each([
  ['/secrets/-a', { value: CANARY }],
  ['/secrets/a%20b', { value: CANARY }],
  ['/secrets/__proto__', { value: CANARY }],
  ['/secrets/a', { value: 'abc' }],
  ['/secrets/a', { value: CANARY.repeat(1000) }],
  ['/secrets/a', { value: 12_345 }],
  ['/secrets/a', {}],
  ['/secrets/a', { value: 'enough', canary: CANARY }],
])('refuses %s with a reason and without the value', async (path, body) => {
  const refused = await api.put(path, body);

  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).not.toContain('7f3a');
  expect((await api.get<{ readonly items: readonly Item[] }>('/secrets')).body.items).toHaveLength(1);
});

it('takes names that mean something to JavaScript', async () => {
  expect((await api.put('/secrets/constructor', { value: CANARY })).status).toBe(200);
  expect(await valueOf('constructor')).toBe(CANARY);
  await expect(valueOf('toString')).rejects.toMatchObject({ failure: { code: 'secret.not-found' } });
});

it('keeps values apart by namespace', async () => {
  await api.put('/secrets/mine', { value: CANARY });

  await expect(valueOf('mine', 'other')).rejects.toMatchObject({ failure: { code: 'secret.not-found' } });
});

it('encrypts what is on disk, with a key that only its owner may read and that outlives a restart', async () => {
  await api.put('/secrets/mine', { value: CANARY });
  await restart();

  expect(await valueOf('mine')).toBe(CANARY);
  expect(statSync(join(dataDir, 'secrets.key')).mode & 0o777).toBe(0o600);
  const files = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name)));
  expect(files.length).toBeGreaterThan(1);
  expect(files.some((file) => file.includes('canary-7f3a'))).toBe(false);
});

it('says that a value needs another key', async () => {
  await api.put('/secrets/mine', { value: CANARY });
  await restart({ SECRETS_KEY: Buffer.alloc(32, 7).toString('base64') });

  await expect(valueOf('mine')).rejects.toMatchObject({
    failure: { code: 'secret.unreadable', message: expect.stringContaining('"mine"') },
  });
  expect((await api.put('/secrets/mine', { value: CANARY })).status).toBe(200);
  expect(await valueOf('mine')).toBe(CANARY);
});

it('is taken out of every log line', async () => {
  const lines: string[] = [];
  const logger = createLogger(testConfig({ LOG_LEVEL: 'info' }), {
    write: (line: string) => lines.push(line),
  });

  await api.put('/secrets/mine', { value: CANARY });
  logger.info({ headers: { 'x-own': `Bearer ${CANARY}` } }, `with ${CANARY}`);

  expect(lines.join('')).not.toContain('7f3a');
  expect(lines.join('')).toContain('with [redacted]');
});
