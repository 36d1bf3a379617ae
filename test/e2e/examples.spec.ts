/** Every definition in docs/examples is imported as it stands and does what the file beside it says. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import type { ApprovalDto } from '../../src/approvals/dto/approval.dto.js';
import type { Json } from '../../src/kernel/json.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import type { SavedWorkflowDto } from '../../src/workflows/dto/workflow.dto.js';
import { Api, type Answer } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

/** What goes in, what is sent while it waits, and what comes out. */
interface ExampleRun {
  /** Other examples that it runs. */
  readonly uses?: readonly string[];
  readonly input: Json;
  /** How it ends; `completed` where it says nothing. */
  readonly status?: string;
  /** The code of the failure that it ends with. */
  readonly code?: string;
  /** Data of signals by their name. */
  readonly signals?: { readonly [name: string]: Json };
  /** Answers to approvals, by the path of the step. */
  readonly answers?: { readonly [path: string]: Json };
  readonly output?: Json;
  /** Outputs of steps by their path. */
  readonly steps?: { readonly [path: string]: Json };
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

it('are listed in docs/examples/README.md, ten at least', () => {
  const listed = readFileSync('docs/examples/README.md', 'utf8').matchAll(
    /^\| \[[\w-]+\]\(([\w-]+)\.yaml\)/gm,
  );

  expect(Array.from(listed, ([, name = '']) => name).toSorted()).toEqual(names);
  expect(names.length).toBeGreaterThanOrEqual(10);
});

it.each(names)('docs/examples/%s.yaml is imported without a warning, and runs', async (name) => {
  for (const used of runsOf(name).flatMap(({ uses = [] }) => uses)) await importOf(used);

  const imported = await importOf(name);
  expect(imported.body).toMatchObject({ name, version: 1, warnings: [] });
  for (const example of runsOf(name)) {
    const { input } = example;
    const { body: started } = await api.post<RunView>(`/workflows/${name}/runs`, { input });
    await play(started.id, example);
    const run = await api.ended(started.id);
    expect(run).toMatchObject({ workflow: { id: imported.body.id, version: 1 }, ...endOf(example) });
    for (const [path, output] of Object.entries(example.steps ?? {}))
      expect([path, await outputAt(run.id, path)]).toEqual([path, output]);
  }
});

/** Imported again it is the same version. */
function importOf(name: string): Promise<Answer<SavedWorkflowDto>> {
  const text = readFileSync(`docs/examples/${name}.yaml`, 'utf8');
  return api.postText<SavedWorkflowDto>('/workflows/import', text, { 'content-type': 'application/yaml' });
}

/** One run, or several that show how differently it may go. */
function runsOf(name: string): readonly ExampleRun[] {
  return [JSON.parse(readFileSync(`docs/examples/${name}.run.json`, 'utf8')) as ExampleRun].flat();
}

function endOf({ status = 'completed', code, output }: ExampleRun): object {
  return {
    status,
    ...(code !== undefined && { failure: { code } }),
    ...(output !== undefined && { output }),
  };
}

async function outputAt(runId: string, path: string): Promise<unknown> {
  const { body } = await api.get<StepView>(`/runs/${runId}/steps/${encodeURIComponent(path)}`);
  return body.output;
}

/** Does what people do while the run waits: each thing as soon as it is asked for. */
async function play(runId: string, { signals = {}, answers = {} }: ExampleRun): Promise<void> {
  for (const [path, answer] of Object.entries(answers)) {
    await until(
      async () => (await openApproval(runId, path)) !== undefined,
      `an approval is asked for at ${path}`,
    );
    const { id } = (await openApproval(runId, path)) ?? { id: '' };
    expect((await api.post(`/approvals/${id}`, answer)).status).toBe(200);
  }
  for (const [name, data] of Object.entries(signals))
    expect((await api.post(`/runs/${runId}/signals/${name}`, { data })).status).toBe(200);
}

async function openApproval(runId: string, path: string): Promise<ApprovalDto | undefined> {
  const { body } = await api.get<{ readonly items: readonly ApprovalDto[] }>(
    `/approvals?status=open&runId=${runId}`,
  );
  return body.items.find((approval) => approval.path === path);
}
