/** `/asyncapi.json` is what the typed contract of live events says, and a valid AsyncAPI 3 document. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { Parser } from '@asyncapi/parser';

/** Spectral's severities: 0 error, 1 warning, 2 information, 3 hint. */
const WARNING = 1;

const PATH = 'src/events/asyncapi.json';
const SCRIPT = `
  const { buildAsyncApi } = await import('./scripts/asyncapi.mjs');
  console.log(JSON.stringify(buildAsyncApi(process.argv[1])));
`;

const text = readFileSync(PATH, 'utf8');
const document = JSON.parse(text) as {
  readonly info: { readonly version: string };
  readonly components: { readonly messages: object };
};

describe(PATH, () => {
  it('is what scripts/write-asyncapi.mjs makes of the contract', () => {
    const made = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', SCRIPT, document.info.version],
      {
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      },
    );

    expect(document).toEqual(JSON.parse(made));
  }, 60_000);

  it('is valid, without a warning about what it says', async () => {
    const parsed = await new Parser().parse(text);
    const diagnostics: readonly { readonly severity: number; readonly message: string }[] =
      parsed.diagnostics;

    expect(diagnostics.filter(({ severity }) => severity <= WARNING).map(({ message }) => message)).toEqual(
      [],
    );
  }, 60_000);

  it.each(['run.queued', 'step.delta', 'run.summary', 'run.start', 'run.start.answer', 'error'])(
    'describes %s',
    (name) => {
      expect(Object.keys(document.components.messages)).toContain(name);
    },
  );
});
