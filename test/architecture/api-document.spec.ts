/** docs/api.md and docs/api-shapes.md say what the OpenAPI document of the service says. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { startApp } from '../support/app.js';
import { openApiOf, type OpenApi } from '../support/openapi.js';

const SCRIPT = `
  const { readFileSync } = await import('node:fs');
  const { renderApi, renderShapes } = await import('./scripts/api-document.mjs');
  const document = JSON.parse(readFileSync(0, 'utf8'));
  console.log(JSON.stringify({ api: renderApi(document), shapes: renderShapes(document) }));
`;

let made: { readonly api: string; readonly shapes: string };

beforeAll(async () => {
  const service = await startApp();
  try {
    made = render(await openApiOf(service.url));
  } finally {
    await service.close();
  }
}, 60_000);

it('docs/api.md is what scripts/write-api.mjs makes of the document', () => {
  expect(readFileSync('docs/api.md', 'utf8')).toBe(made.api);
});

it('docs/api-shapes.md is what scripts/write-api.mjs makes of the document', () => {
  expect(readFileSync('docs/api-shapes.md', 'utf8')).toBe(made.shapes);
});

function render(document: OpenApi): typeof made {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    input: JSON.stringify(document),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(text) as typeof made;
}
