/**
 * `node scripts/check-invariants.mjs [--data ./data] [--database-url URL] [--calls FILE] [--over]`: checks a record.
 *
 * Reads the record of a service, running or not, and says which invariants (docs/invariants.md) it violates. `--calls`
 * names what stubs have written of their calls, one JSON object a line; `--over` says that every run must have ended.
 * Exits with 1 when something is violated.
 */
import './ensure-node.mjs';

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { bundle } from '../test/simulation/bundle.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.DATA_DIR ?? './data' },
    'database-url': { type: 'string', default: process.env.DATABASE_URL },
    calls: { type: 'string' },
    over: { type: 'boolean', default: false },
  },
});

const { 'database-url': databaseUrl, data: folder, calls: callsFile, over: isOver } = values;
const file = await bundle('test/support/invariants/check-record.ts', `checker-${process.pid}`);
const { checkRecord } = await import(pathToFileURL(file).href);
const { runs, events, calls, violations } = await checkRecord(
  databaseUrl === undefined ? { folder } : { databaseUrl },
  { isOver, ...(callsFile && { callsFile }) },
);
for (const { invariant, runId = '', path = '', message } of violations)
  console.log(`${invariant} ${runId} ${path} ${message}`);
console.log(`${runs} runs, ${events} events, ${calls} calls: ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
