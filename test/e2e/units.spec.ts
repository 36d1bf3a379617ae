/** Steps that map, repeat, wait and compute, as a client meets them. */
import type { StepView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

it('maps, loops, waits and computes, and shows each unit by its path', async () => {
  const definition = {
    steps: [
      { id: 'parts', agent: 'echo', input: 'the {{ item }}', forEach: { items: '["bass", "lead"]' } },
      { id: 'nap', kind: 'wait', durationMs: 5 },
      {
        id: 'polish',
        kind: 'loop',
        dependsOn: ['nap'],
        repeat: {
          until: 'output.rounds == 3',
          body: {
            steps: [
              {
                id: 'mend',
                agent: 'echo',
                input: { text: '{{ steps.parts.output | join: "+" }}', n: '{{ iteration }}' },
              },
              {
                id: 'check',
                kind: 'transform',
                expression: '{"rounds": steps.mend.output.n + 1, "text": steps.mend.output.text}',
              },
            ],
            output: '{{ steps.check.output }}',
          },
        },
      },
    ],
    output: '{{ steps.polish.output }}',
  };
  const run = await api.finish(definition);

  expect(run).toMatchObject({
    status: 'completed',
    output: { rounds: 3, text: 'the bass+the lead' },
    progress: { completed: 3, total: 3 },
  });
  const stepAt = async (path: string): Promise<StepView> =>
    (await api.get<StepView>(`/runs/${run.id}/steps/${encodeURIComponent(path)}`)).body;
  expect(await stepAt('parts')).toMatchObject({
    status: 'completed',
    output: ['the bass', 'the lead'],
    holds: { kind: 'items', total: 2, completed: 2, failed: 0, open: [] },
  });
  expect(await stepAt('parts[1]')).toMatchObject({
    id: 'parts',
    path: 'parts[1]',
    output: 'the lead',
    attempts: 1,
  });
  expect(await stepAt('polish[2]')).toMatchObject({ holds: { kind: 'body', total: 2, completed: 2 } });
  expect(await stepAt('polish[2]/check')).toMatchObject({
    kind: 'transform',
    dependsOn: ['mend'],
    output: { rounds: 3, text: 'the bass+the lead' },
  });
  expect(await api.get(`/runs/${run.id}/steps/${encodeURIComponent('polish[3]')}`)).toMatchObject({
    status: 404,
    body: { code: 'step.not-found' },
  });
});
