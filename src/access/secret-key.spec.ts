import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadKey } from './secret-key.js';

const SECRETS_KEY = Buffer.alloc(32, 7).toString('base64');
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ensemble-key-'));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true });
});

const load = (secretsKey?: string, databaseUrl?: string): Promise<Buffer> =>
  loadKey(
    { adminKey: undefined, secretsKey },
    {
      dataDir,
      databaseUrl,
      maxConnections: 10,
      redisUrl: undefined,
      redisKeyPrefix: 'test',
      redisCaFile: undefined,
    },
  );

it('is that of the configuration where there is one', async () => {
  expect(await load(SECRETS_KEY)).toEqual(Buffer.alloc(32, 7));
  expect(await load(SECRETS_KEY, 'postgres://x')).toEqual(Buffer.alloc(32, 7));
});

it('is made once on the embedded record, however many ask for it at once', async () => {
  const [first, ...others] = await Promise.all([load(), load(), load(), load()]);

  expect(first).toHaveLength(32);
  expect([...others, await load()].every((key) => first.equals(key))).toBe(true);
});

it('is asked for where several processes may need it', async () => {
  await expect(load(undefined, 'postgres://x')).rejects.toMatchObject({
    failure: { code: 'secret.not-configured', message: expect.stringContaining('SECRETS_KEY') },
  });
});

it('is not taken from a file that holds none', async () => {
  writeFileSync(join(dataDir, 'secrets.key'), 'c2hvcnQ=\n');

  await expect(load()).rejects.toMatchObject({ failure: { code: 'secret.not-configured' } });
});
