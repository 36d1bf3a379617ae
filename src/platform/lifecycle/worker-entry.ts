import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/**
 * The absolute path of the compiled entry file of a worker thread, such as `storage/sql/sqlite.worker.js`.
 *
 * It always lies in `dist`, also when the caller runs from sources, so a worker thread never needs a transformer.
 *
 * @param path relative to `src`, with the suffix `.js`
 */
export function workerEntry(path: string): string {
  return join(projectRoot(), 'dist', path);
}

/** The folder of this product's package.json: looked for upwards from the script that runs, then from the working directory. */
export function projectRoot(): string {
  found ??= [process.argv[1], process.cwd()].map(rootAbove).find((root) => root !== undefined);
  if (found === undefined) {
    throw new Error('No package.json named "ensemble" above the running script or the working directory');
  }
  return found;
}

function rootAbove(path: string | undefined): string | undefined {
  for (let folder = path; folder !== undefined; folder = parentOf(folder)) {
    if (isRoot(folder)) return folder;
  }
  return undefined;
}

function parentOf(folder: string): string | undefined {
  const parent = dirname(folder);
  return parent === folder ? undefined : parent;
}

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return false;
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string };
  return content.name === 'ensemble';
}
