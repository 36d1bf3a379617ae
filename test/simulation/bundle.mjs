/**
 * Makes one file of the simulation and the engine that it runs, as they are or with a defect planted.
 *
 * A defect changes the text of one source file on its way into the bundle: the engine itself knows of none.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { build } from 'esbuild';

import { fromRoot, root } from '../../scripts/root.mjs';

/**
 * @param entry path of a TypeScript file, from the repository's folder
 * @param name of the bundle; who makes it at the same time in another process makes the same
 * @param defect `{ file, find, replace }`: the text occurs exactly once in the file
 * @returns the path of the bundle
 */
export async function bundle(entry, name, defect) {
  const outfile = fromRoot('.cache', 'simulation', `${name}.mjs`);
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    outfile,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    packages: 'external',
    sourcemap: 'inline',
    tsconfig: fromRoot('tsconfig.json'),
    logLevel: 'silent',
    plugins: defect === undefined ? [] : [planted(defect)],
  });
  await writeWhole(outfile, outputFiles[0].contents);
  return outfile;
}

/** Others may read the file meanwhile: they see all of it or the one before. */
async function writeWhole(path, contents) {
  const draft = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, contents);
  await rename(draft, path);
}

function planted({ file, find, replace }) {
  const path = join(root, file);
  return {
    name: 'planted',
    setup({ onLoad, onEnd }) {
      let isPlanted = false;
      onLoad({ filter: /\.ts$/ }, async (source) => {
        if (source.path !== path) return undefined;
        const text = await readFile(path, 'utf8');
        if (text.split(find).length !== 2) throw new Error(`${file} has not exactly one: ${find}`);
        isPlanted = true;
        return { contents: text.replace(find, () => replace), loader: 'ts' };
      });
      onEnd(() => {
        if (!isPlanted) throw new Error(`${file} is no part of the bundle`);
      });
    },
  };
}
