import { readFileSync } from 'node:fs';

import { renderStatements } from '../../src/storage/sql/render-statements.js';

describe('docs/sql', () => {
  it.each(['sqlite', 'postgres'] as const)(
    'has every prepared statement of %s as it is sent (node scripts/write-sql.mjs)',
    (engine) => {
      expect(readFileSync(`docs/sql/${engine}.sql`, 'utf8')).toBe(renderStatements(engine));
    },
  );
});
