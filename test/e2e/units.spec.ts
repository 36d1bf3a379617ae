/** Steps that map, repeat, wait and compute, as a client meets them. */
import type { RunView, StepView } from '../../src/runs/domain/view.js';
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

describe('signals', () => {
  const definition = { steps: [{ id: 'w', kind: 'signal', signal: 'tempo.changed' }] };

  it('are sent to a waiting run, whose step completes with their data', async () => {
    const { body } = await api.post<RunView>('/runs', { definition });
    const sent = await api.post<RunView>(`/runs/${body.id}/signals/tempo.changed`, {
      data: { __proto__: 1, tempo: 132 },
    });

    expect(sent.status).toBe(200);
    expect((await api.ended(body.id)).output).toEqual({ w: { tempo: 132 } });
  });

  it('are null without data', async () => {
    const { body } = await api.post<RunView>('/runs', { definition });
    await api.post(`/runs/${body.id}/signals/tempo.changed`, {});

    expect((await api.ended(body.id)).output).toEqual({ w: null });
  });

  it.each([
    ['a name that is none', 'no%20name', 400, 'request.invalid'],
    ['a run that has ended', 'tempo.changed', 409, 'run.not-active'],
  ])('are refused: %s', async (_, name, status, code) => {
    const run = await api.finish({ steps: [{ id: 'a', kind: 'transform', expression: '1' }] });

    expect(await api.post(`/runs/${run.id}/signals/${name}`, {})).toMatchObject({ status, body: { code } });
  });
});
