import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot, workerEntry } from './worker-entry.js';

describe('workerEntry', () => {
  it('lies in dist, below the package.json of this product', () => {
    expect(existsSync(join(projectRoot(), 'package.json'))).toBe(true);
    expect(workerEntry('storage/sql/sqlite.worker.js')).toBe(
      join(projectRoot(), 'dist', 'storage', 'sql', 'sqlite.worker.js'),
    );
  });
});
