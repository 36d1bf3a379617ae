import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from './worker-entry.js';

let version: string | undefined;

/** The version of this product, from its package.json. */
export function productVersion(): string {
  version ??= (
    JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { readonly version: string }
  ).version;
  return version;
}
