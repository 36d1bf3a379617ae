/**
 * Bundles the Strudel packages with the program that runs them in the sandbox, for the evaluator of the `strudel`
 * agents, and puts its licence beside it. A part of `npm run build`.
 *
 * Does nothing when the bundle is newer than everything that it is made from, or when the optional packages are not
 * installed; a bundle that is there stays then.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';

import { fromRoot } from './root.mjs';

const FOLDER = 'agents/providers/strudel/evaluator';
const BUNDLE = fromRoot('dist', FOLDER, 'strudel.bundle.js');
const PACKAGES = [
  ...['@strudel/core', '@strudel/mini', '@strudel/tonal', '@strudel/transpiler', 'escodegen', 'source-map'],
  'esbuild',
];

/** Written by every installation; the files of a package keep the time at which they were packed. */
const INSTALLED = fromRoot('node_modules', '.package-lock.json');

/** True when the bundle could be made and is missing or older than what it is made from. */
function isStale() {
  if (!PACKAGES.every(isInstalled)) return false;
  const made = modifiedAt(BUNDLE) ?? 0;
  const sources = readdirSync(fromRoot('src', FOLDER)).map((name) => fromRoot('src', FOLDER, name));
  const parts = [...sources, INSTALLED, fromRoot('scripts', 'build-strudel.mjs')];
  return parts.some((path) => modifiedAt(path) > made);
}

/** Makes the bundle when it is out of date. Answers false only when the bundler found mistakes. */
export async function buildStrudel() {
  if (!isStale()) return true;
  mkdirSync(fromRoot('dist', FOLDER), { recursive: true });
  for (const name of ['LICENSE', 'README.md']) {
    copyFileSync(fromRoot('src', FOLDER, name), fromRoot('dist', FOLDER, name));
  }
  try {
    await bundle();
    return true;
  } catch (failure) {
    // Mistakes in what it bundles the bundler has printed itself.
    if (failure.errors === undefined) console.error(failure.message);
    rmSync(BUNDLE, { force: true });
    return false;
  }
}

async function bundle() {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [fromRoot('src', FOLDER, 'program.ts')],
    outfile: BUNDLE,
    bundle: true,
    format: 'iife',
    target: 'es2022',
    // Names stay: Strudel tells some classes apart by theirs.
    minifySyntax: true,
    minifyWhitespace: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [leaveOut('@kabelsalat/web')],
    legalComments: 'eof',
    logLevel: 'warning',
  });
}

/** Puts an object with nothing in it in the place of a package: this one makes sound in a browser. */
function leaveOut(name) {
  return {
    name: 'leave-out',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, ({ path }) => ({ path, namespace: 'left-out' }));
      onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

function isInstalled(name) {
  return modifiedAt(fromRoot('node_modules', name, 'package.json')) !== undefined;
}

function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

if (import.meta.main) {
  process.exitCode = (await buildStrudel()) ? 0 : 1;
}
