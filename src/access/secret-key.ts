/** The key that secrets are encrypted with: SECRETS_KEY, or on the embedded record a file beside it. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { AppError } from '../kernel/failure.js';
import type { SecurityConfig, StorageConfig } from '../platform/config/app.config.js';
import { KEY_BYTES } from './secret-box.js';
import { secretErrors } from './secret.errors.js';

const FILE = 'secrets.key';

/** @throws AppError `secret.not-configured` */
export async function loadKey(security: SecurityConfig, storage: StorageConfig): Promise<Buffer> {
  if (security.secretsKey !== undefined) return keyOf(security.secretsKey, 'SECRETS_KEY');
  if (storage.databaseUrl !== undefined) {
    throw notConfigured(
      'Secrets are encrypted with SECRETS_KEY, which is not set. Set it to 32 random bytes in base64, the same for every process: `openssl rand -base64 32`.',
    );
  }
  return keyFileIn(storage.dataDir);
}

/** The key of the file in a folder, which is made when it is not there, readable for its owner only. */
async function keyFileIn(folder: string): Promise<Buffer> {
  const path = join(folder, FILE);
  const found = await readFile(path, 'utf8').catch(ifMissing);
  if (found !== undefined) return keyOf(found.trim(), path);
  await mkdir(folder, { recursive: true });
  await writeOnce(path, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  return keyOf((await readFile(path, 'utf8')).trim(), path);
}

/** The file appears whole or not at all, and an existing one stays: whoever is second takes the key of the first. */
async function writeOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path).catch(ifExists);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function keyOf(text: string, where: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw notConfigured(`${where} does not hold a key: ${KEY_BYTES} bytes in base64.`);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

function ifExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function notConfigured(message: string): AppError {
  return AppError.of(secretErrors['secret.not-configured'], message);
}
