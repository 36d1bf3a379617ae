/**
 * `node scripts/write-sql.mjs`: writes docs/sql/<engine>.sql, the text of every prepared statement, as compiled.
 *
 * test/architecture/rendered-sql.spec.ts says when it must be run again.
 */
import './ensure-node.mjs';

import { mkdirSync, writeFileSync } from 'node:fs';

import { buildIfStale } from './build.mjs';
import { fromRoot } from './root.mjs';

await buildIfStale();
const { renderStatements } = await import(fromRoot('dist/storage/sql/render-statements.js'));
mkdirSync(fromRoot('docs/sql'), { recursive: true });
for (const engine of ['sqlite', 'postgres']) {
  writeFileSync(fromRoot('docs/sql', `${engine}.sql`), renderStatements(engine));
  console.log(`docs/sql/${engine}.sql`);
}
