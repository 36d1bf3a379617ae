import { get } from 'node:http';

import { KeyService } from '../../src/platform/auth/key.service.js';
import { AuthService } from '../../src/platform/auth/auth.service.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { startApp, type RunningApp } from '../support/app.js';
import { problemIn } from '../support/problem.js';

const ADMIN_KEY = 'a-key-of-my-own-choice-1234567890';
const ADMIN = { name: 'admin', namespace: 'default', role: 'admin' } as const;

describe('without keys', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });

  afterAll(() => running.close());

  it('serves this machine without a key', async () => {
    expect((await fetch(`${running.url}/api/v1/health`)).status).toBe(200);
  });

  it.each([
    ['a foreign host', { host: 'example.org' }, 403],
    ['a host that begins like loopback', { host: '127.0.0.1.example.org' }, 403],
    ['a foreign origin', { origin: 'https://example.org' }, 403],
    ['a page of a file', { origin: 'null' }, 403],
    ['localhost', { host: 'localhost:1' }, 200],
    ['IPv6', { host: '[::1]:3000' }, 200],
    ['its own origin', { host: 'localhost:1', origin: 'http://localhost:1' }, 200],
  ])('answers a request of %s', async (_, headers, status) => {
    expect(await statusOf(`${running.url}/api/v1/health`, headers)).toBe(status);
  });

  it('answers health and documents whatever the host', async () => {
    for (const path of ['/health/live', '/health/ready', '/docs', '/openapi.json', '/asyncapi.json']) {
      expect(await statusOf(running.url + path, { host: 'example.org' })).toBe(200);
    }
  });

  it('tells the reason', async () => {
    const response = await fetch(`${running.url}/api/v1/health`, {
      headers: { origin: 'https://example.org' },
    });

    expect(await problemIn(response)).toMatchObject({ code: 'auth.forbidden', status: 403 });
  });
});

describe('with keys', () => {
  let running: RunningApp;
  let health: string;

  beforeAll(async () => {
    running = await startApp({ env: { ADMIN_KEY } });
    health = `${running.url}/api/v1/health`;
  });

  afterAll(() => running.close());

  function ask(headers: Record<string, string>, query = ''): Promise<Response> {
    return fetch(health + query, { headers });
  }

  it('requires one on loopback, too', async () => {
    const response = await ask({});

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await problemIn(response)).toMatchObject({ code: 'auth.required' });
  });

  it.each<[string, Record<string, string>]>([
    ['Authorization', { authorization: `Bearer ${ADMIN_KEY}` }],
    ['X-Api-Key', { 'x-api-key': ADMIN_KEY }],
    ['a foreign origin and a key', { authorization: `Bearer ${ADMIN_KEY}`, origin: 'https://example.org' }],
  ])('takes a key by %s', async (_, headers) => {
    expect((await ask(headers)).status).toBe(200);
  });

  it.each<[string, Record<string, string>, string]>([
    ['an unknown key', { authorization: 'Bearer ens_unknown' }, ''],
    ['another scheme', { authorization: `Basic ${ADMIN_KEY}` }, ''],
    ['a key in the query', {}, `?access_token=${ADMIN_KEY}`],
  ])('refuses %s', async (_, headers, query) => {
    const response = await ask(headers, query);

    expect(response.status).toBe(401);
    expect(JSON.stringify(await problemIn(response))).not.toContain(ADMIN_KEY);
  });

  it('refuses what does not exist as well', async () => {
    expect((await fetch(`${running.url}/api/v1/nothing`)).status).toBe(401);
  });

  it('exempts health and documents', async () => {
    for (const path of [
      '/health/live',
      '/health/ready',
      '/docs',
      '/docs/swagger-ui.css',
      '/openapi.json',
      '/asyncapi.json',
    ]) {
      expect((await fetch(running.url + path)).status).toBe(200);
    }
  });

  it('stops taking a key when it is revoked', async () => {
    const keys = running.app.get(KeyService);
    const { key, secret } = await keys.create({ ...ADMIN, name: 'short-lived' });
    const before = await ask({ authorization: `Bearer ${secret}` });
    await keys.revoke('default', key.id);
    const after = await ask({ authorization: `Bearer ${secret}` });

    expect([before.status, after.status]).toEqual([200, 401]);
    expect(await problemIn(after)).toMatchObject({ detail: 'The API key has been revoked' });
  });

  it('refuses a key that has expired', async () => {
    const expiresAt = running.app.get(Clock).now();
    const { secret } = await running.app.get(KeyService).create({ ...ADMIN, expiresAt });
    const response = await ask({ authorization: `Bearer ${secret}` });

    expect(response.status).toBe(401);
    expect(await problemIn(response)).toMatchObject({ detail: 'The API key has expired' });
  });

  it('takes the namespace from the key alone', async () => {
    const { key, secret } = await running.app
      .get(KeyService)
      .create({ name: 'b', namespace: 'other', role: 'viewer' });
    const credentials = { host: 'example.org', origin: undefined, key: secret };

    expect(await running.app.get(AuthService).authenticate(credentials)).toEqual({
      ok: true,
      value: { namespace: 'other', keyId: key.id, role: 'viewer' },
    });
  });
});

describe('the first key', () => {
  it('closes a service that was open, at once', async () => {
    const { url, app, close } = await startApp();
    try {
      const before = (await fetch(`${url}/api/v1/health`)).status;
      await app.get(KeyService).create(ADMIN);
      const after = (await fetch(`${url}/api/v1/health`)).status;

      expect([before, after]).toEqual([200, 401]);
    } finally {
      await close();
    }
  });

  it('is made where others can reach the service, and printed once', async () => {
    const printed: string[] = [];
    const write = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => printed.push(String(text)) > 0);
    const { url, app, close } = await startApp({ env: { HOST: '0.0.0.0' } });
    write.mockRestore();
    try {
      const secret = /ens_[\w-]{43}/.exec(printed.join(''))?.[0] ?? '';
      const health = `http://127.0.0.1:${new URL(url).port}/api/v1/health`;

      expect((await fetch(health)).status).toBe(401);
      expect((await fetch(health, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
      expect(await app.get(KeyService).list('default')).toHaveLength(1);
    } finally {
      await close();
    }
  });
});

/** `fetch` does not let a caller choose `Host`. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}
