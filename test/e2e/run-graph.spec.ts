/** The graph of a run and of a workflow, as data and as the text of a flowchart. */
import type { RunGraphDto } from '../../src/runs/dto/run-graph.dto.js';
import type { DiagramDto } from '../../src/workflows/diagram.dto.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(() => service.close());

const definition = {
  steps: [
    scripted('parts', { output: 1 }, { forEach: { items: '[1, 2, 3]' } }),
    scripted('never', {}, { when: 'false' }),
    { id: 'join', agent: 'echo', dependsOn: ['parts', 'never'], join: 'all_settled' },
  ],
};

async function textOf(path: string): Promise<readonly [string | null, string]> {
  const answer = await fetch(`${service.url}/api/v1${path}`);
  return [answer.headers.get('content-type'), await answer.text()];
}

it('of a run says how far each step is', async () => {
  const { id, lastSeq } = await api.finish(definition);
  const { body } = await api.get<RunGraphDto>(`/runs/${id}/graph`);

  expect(body).toEqual({
    status: 'completed',
    lastSeq,
    nodes: [
      {
        ...{ id: 'parts', kind: 'agent', agent: 'scripted', layers: ['items'] },
        ...{ status: 'completed', holds: { completed: 3 } },
      },
      { id: 'never', kind: 'agent', agent: 'scripted', status: 'skipped' },
      { id: 'join', kind: 'agent', agent: 'echo', status: 'completed' },
    ],
    edges: [
      { from: 'parts', to: 'join', kind: 'after' },
      { from: 'never', to: 'join', kind: 'after' },
    ],
  });
  const [type, text] = await textOf(`/runs/${id}/graph?format=mermaid`);
  expect(type).toBe('text/plain; charset=utf-8');
  expect(text).toMatch(/^flowchart TD\n {2}n0\["parts<br\/>agent scripted<br\/>for each item/);
  expect(text).toContain('class n1 skipped');
});

it('of a workflow says what waits for what', async () => {
  const { body: workflow } = await api.post<{ readonly id: string }>('/workflows', {
    name: 'drawn',
    definition,
  });
  const { body } = await api.get<DiagramDto>(`/workflows/drawn/graph`);
  const [, text] = await textOf(`/workflows/${workflow.id}/graph?format=mermaid&version=1`);

  expect(body.nodes.map(({ id }) => id)).toEqual(['parts', 'never', 'join']);
  expect(text).toContain('n0 --> n2');
});

it('is refused in another format, and not found where there is nothing', async () => {
  const { id } = await api.finish({ steps: [scripted('a', {})] });

  expect((await api.get(`/runs/${id}/graph?format=dot`)).status).toBe(400);
  expect((await api.get('/runs/run_nobody/graph')).body).toMatchObject({ code: 'run.not-found' });
  expect((await api.get('/workflows/wf_nobody/graph')).body).toMatchObject({ code: 'workflow.not-found' });
});
