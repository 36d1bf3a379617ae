/**
 * `node scripts/write-asyncapi.mjs`: writes src/events/asyncapi.json, which the service answers at `/asyncapi.json`.
 *
 * test/architecture/asyncapi.spec.ts says when it must be run again.
 */
import './ensure-node.mjs';

import { readFileSync, writeFileSync } from 'node:fs';

import { format } from 'prettier';

import { buildAsyncApi } from './asyncapi.mjs';
import { fromRoot } from './root.mjs';

const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'));
const document = buildAsyncApi(version);
const options = JSON.parse(readFileSync(fromRoot('.prettierrc.json'), 'utf8'));
const text = await format(JSON.stringify(document), { ...options, parser: 'json' });
writeFileSync(fromRoot('src/events/asyncapi.json'), text);
console.log(`src/events/asyncapi.json: ${Object.keys(document.components.messages).length} messages`);
