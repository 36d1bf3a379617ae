/** Every definition in docs/examples is imported as it stands and does what the file beside it says. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import type { Json } from '../../src/kernel/json.js';
import type { RunView } from '../../src/runs/domain/view.js';
import type { SavedWorkflowDto } from '../../src/workflows/dto/workflow.dto.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

/** What goes in, and what comes out. */
interface ExampleRun {
  readonly input: Json;
  readonly output: Json;
}

const names = globSync('docs/examples/*.yaml')
  .map((path) => basename(path, '.yaml'))
  .toSorted();

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

it('finds the examples', () => {
  expect(names).toEqual(expect.arrayContaining(['fallback', 'greeting', 'letter', 'review-board']));
});

it.each(names)('docs/examples/%s.yaml is imported without a warning, and runs', async (name) => {
  const text = readFileSync(`docs/examples/${name}.yaml`, 'utf8');
  const { input, output } = JSON.parse(readFileSync(`docs/examples/${name}.run.json`, 'utf8')) as ExampleRun;

  const imported = await api.postText<SavedWorkflowDto>('/workflows/import', text, {
    'content-type': 'application/yaml',
  });
  expect(imported.body).toMatchObject({ name, version: 1, warnings: [] });
  const { body: run } = await api.post<RunView>(`/workflows/${name}/runs`, { input }, { Prefer: 'wait=30' });
  expect(run).toMatchObject({ status: 'completed', workflow: { id: imported.body.id, version: 1 }, output });
});
