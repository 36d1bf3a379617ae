import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, wherever a script is started from. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The absolute path of a file of this repository. */
export function fromRoot(...parts) {
  return join(root, ...parts);
}
