/**
 * `node scripts/write-errors.mjs`: writes docs/errors.md from the declarations in every `*.errors.ts`, as compiled.
 *
 * test/architecture/error-catalogue.spec.ts says when it must be run again.
 */
import './ensure-node.mjs';

import { globSync, writeFileSync } from 'node:fs';

import { buildIfStale } from './build.mjs';
import { fromRoot, root } from './root.mjs';

const HEAD = `# Error codes

Every refusal over HTTP is a problem document (RFC 9457) with one of these codes; over sockets the same document comes
in the acknowledgement; a failure of a run or a step carries the same code without a status. Decide by the code: it is
stable, while texts may change. \`GET /problems/<code>\` tells the same about one of them.

| Code | Status | Kind | Retry may help | Meaning |
|---|---|---|---|---|
`;

await buildIfStale();
const { statusOf } = await import(fromRoot('dist/platform/http/problem.js'));
const rows = (await listTypes())
  .sort((a, b) => (a.code < b.code ? -1 : 1))
  .map(
    ({ code, kind, retryable, title }) =>
      `| \`${code}\` | ${statusOf(kind)} | ${kind} | ${retryable ? 'yes' : 'no'} | ${title} |\n`,
  );
writeFileSync(fromRoot('docs/errors.md'), HEAD + rows.join(''));
console.log(`docs/errors.md: ${rows.length} codes`);

async function listTypes() {
  const types = new Map();
  for (const path of globSync('dist/**/*.errors.js', { cwd: root })) {
    for (const declared of Object.values(await import(fromRoot(path)))) {
      for (const type of Object.values(declared)) types.set(type.code, type);
    }
  }
  return [...types.values()];
}
