/**
 * `npm run build`: compiles src to dist and takes away what earlier builds left of files that are gone.
 *
 * One build at a time: the lock is an SQLite transaction, which ends with its process however that ends.
 * A stamp beside dist's build record holds a fingerprint of everything the build reads; it is written only after a
 * build without errors.
 */
import './ensure-node.mjs';

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { buildStrudel } from './build-strudel.mjs';
import { fromRoot, root } from './root.mjs';

const SRC = fromRoot('src');
const DIST = fromRoot('dist');
const STAMP = fromRoot('dist', '.stamp');
const BUILD_RECORD = fromRoot('dist', '.tsbuildinfo');
const NEST = fromRoot('node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
const LOCK = fromRoot('.cache', 'build-lock.db');
const LOCK_WAIT_MS = 300_000;
const SETTINGS = [
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  // Written by every installation.
  'node_modules/.package-lock.json',
];

/** True when dist is missing, incomplete, or made from other sources or settings than the present ones. */
export function isStale() {
  if (!existsSync(STAMP)) return true;
  const sources = listSources();
  return readFileSync(STAMP, 'utf8') !== fingerprintOf(sources) || sources.some(lacksOutput);
}

/** Builds, after any other build of this tree has ended. Answers whether it succeeded. */
export async function build() {
  return await withLock(compile);
}

/** Builds when dist is stale. Safe to call from several processes at once: one builds, the others wait for it. */
export async function buildIfStale() {
  if (!isStale()) return true;
  return await withLock(() => (isStale() ? compile() : true));
}

async function compile() {
  const sources = listSources();
  const fingerprint = fingerprintOf(sources);
  rmSync(STAMP, { force: true });
  // The compiler does not write again what its record calls written, so a record without its files must go.
  if (sources.some(lacksOutput)) rmSync(BUILD_RECORD, { force: true });
  const { status } = spawnSync(process.execPath, [NEST, 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) return false;
  removeOrphans();
  if (!(await buildStrudel())) return false;
  writeFileSync(STAMP, fingerprint);
  return true;
}

async function withLock(action) {
  const { default: Database } = await import('better-sqlite3');
  mkdirSync(dirname(LOCK), { recursive: true });
  const lock = new Database(LOCK, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return await action();
  } finally {
    lock.close();
  }
}

function listSources() {
  return listFiles(SRC).filter((path) => !path.endsWith('.spec.ts'));
}

function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function fingerprintOf(sources) {
  const hash = createHash('sha256');
  for (const path of [...sources, ...SETTINGS.map((name) => fromRoot(name))]) {
    const found = statSync(path, { throwIfNoEntry: false });
    hash.update(`${relative(root, path)}:${found?.size}:${found?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function lacksOutput(source) {
  return source.endsWith('.ts') && !source.endsWith('.d.ts') && !existsSync(outputOf(source));
}

function outputOf(source) {
  return join(DIST, relative(SRC, source)).replace(/\.ts$/, '.js');
}

/** Removes `x.js` and `x.js.map` where the map names a file of src that no longer exists. */
function removeOrphans() {
  for (const map of listFiles(DIST).filter((path) => path.endsWith('.js.map'))) {
    const source = resolve(dirname(map), JSON.parse(readFileSync(map, 'utf8')).sources[0] ?? '');
    if (!source.startsWith(SRC + sep) || existsSync(source)) continue;
    rmSync(map);
    rmSync(map.slice(0, -'.map'.length), { force: true });
  }
}

if (import.meta.main) {
  process.exitCode = (await build()) ? 0 : 1;
}
