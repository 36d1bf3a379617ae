/** The tour of README.md, pasted as it stands: every command of it is answered as it says. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { hasCurl } from '../support/curl.js';

const README = readFileSync('README.md', 'utf8');
const [, TOUR = ''] = /^## A tour\n([^]*?)^## /m.exec(README) ?? [];
/** Notes the status of each answer where it does not mix with what commands pass on to others. */
const NOTE_STATUSES = `curl() { command curl -w '%{stderr}status %{http_code}\\n' "$@"; }`;

let service: RunningApp;
let folder: string;

beforeAll(async () => {
  service = await startApp();
  folder = mkdtempSync(join(tmpdir(), 'ensemble-tour-'));
  symlinkSync(resolve('docs'), join(folder, 'docs'));
  writeFileSync(join(folder, 'hello.json'), blocksOf('json').join('\n'));
});

afterAll(async () => {
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

it('begins with a definition that runs', async () => {
  const { definition, ...more } = JSON.parse(blocksOf('json').join('\n')) as Record<string, unknown>;

  expect(await new Api(service.url).finish(definition, more)).toMatchObject({
    status: 'completed',
    output: 'HELLO ADA',
  });
});

(hasCurl ? it : it.skip)(
  'is answered with success, but for what it says is refused',
  async () => {
    const commands = blocksOf('bash').join('\n').replaceAll('http://127.0.0.1:3000', service.url);

    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `${NOTE_STATUSES}\n${commands}`], {
      cwd: folder,
      maxBuffer: 64 * 1024 * 1024,
    });
    const statuses = Array.from(stderr.matchAll(/^status (\d+)$/gm), ([, status]) => Number(status));

    const refusals = commands.match(/^curl .*# refused/gm) ?? [];
    expect(statuses).toHaveLength((commands.match(/\bcurl /g) ?? []).length);
    expect(statuses.filter((status) => status >= 300)).toEqual(refusals.map(() => 422));
    expect(stdout).toContain('HELLO ADA');
  },
  120_000,
);

function blocksOf(language: string): readonly string[] {
  return Array.from(
    TOUR.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')),
    ([, text = '']) => text,
  );
}
