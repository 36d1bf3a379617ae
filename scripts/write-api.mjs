/**
 * `node scripts/write-api.mjs`: writes docs/api.md and docs/api-shapes.md from the OpenAPI document of a fresh service.
 *
 * test/architecture/api-document.spec.ts says when it must be run again.
 */
import './ensure-node.mjs';

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { renderApi, renderShapes } from './api-document.mjs';
import { buildIfStale } from './build.mjs';
import { fromRoot } from './root.mjs';

await buildIfStale();
const document = await readDocument();
for (const [name, text] of [
  ['api.md', renderApi(document)],
  ['api-shapes.md', renderShapes(document)],
]) {
  writeFileSync(fromRoot('docs', name), text);
  console.log(`docs/${name}: ${text.split('\n').length} lines`);
}

/** The document as a service answers it that has an empty folder and everything else at its default. */
async function readDocument() {
  const { createApp } = await import(fromRoot('dist/app.js'));
  const { parseConfig } = await import(fromRoot('dist/platform/config/config.schema.js'));
  const dataDir = mkdtempSync(join(tmpdir(), 'ensemble-api-'));
  const config = parseConfig({ PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: dataDir });
  const app = await createApp(config.value);
  try {
    await app.listen(0, '127.0.0.1');
    return await (await fetch(`${await app.getUrl()}/openapi.json`)).json();
  } finally {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
