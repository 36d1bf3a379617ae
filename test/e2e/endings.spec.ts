/** Writes to the context, compensations and steps that run last, as a client meets them. */
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const stepAt = async (run: RunView, path: string): Promise<StepView> =>
  (await api.get<StepView>(`/runs/${run.id}/steps/${encodeURIComponent(path)}`)).body;

const booking = {
  contextReducers: { booked: 'append' },
  steps: [
    {
      id: 'book',
      agent: 'echo',
      input: '{{ item }}',
      forEach: { items: ['flight', 'hotel'] },
      writes: { booked: '{{ output }}' },
      compensate: { agent: 'echo', input: 'cancel the {{ output }}' },
    },
    { id: 'paid', kind: 'signal', signal: 'paid', dependsOn: ['book'] },
    {
      id: 'refuse',
      kind: 'fail',
      code: 'payment.refused',
      when: '!steps.paid.output.ok',
    },
    {
      id: 'report',
      agent: 'echo',
      finally: true,
      input: '{{ run.end.status }} after {{ context.booked | size }}',
    },
  ],
  output: '{{ context.booked | sort }}',
};

async function waiting(): Promise<RunView> {
  const run = await api.start(booking);
  await api.event(run.id, 'run.waiting');
  return run;
}

it('writes to the context, and runs what comes last before the end', async () => {
  const run = await waiting();
  await api.post(`/runs/${run.id}/signals/paid`, { data: { ok: true } });
  const ended = await api.ended(run.id);

  expect(ended).toMatchObject({ status: 'completed', output: ['flight', 'hotel'] });
  expect(await stepAt(run, 'report')).toMatchObject({ status: 'completed', output: 'completed after 2' });
});

it('undoes what has completed when the run fails, then runs what comes last', async () => {
  const run = await waiting();
  await api.post(`/runs/${run.id}/signals/paid`, { data: { ok: false } });
  const ended = await api.ended(run.id);

  expect(ended).toMatchObject({ status: 'failed', failure: { code: 'payment.refused' } });
  expect(await stepAt(run, 'book[0]~compensate')).toMatchObject({
    id: 'book',
    status: 'completed',
    output: 'cancel the flight',
  });
  expect(await stepAt(run, 'report')).toMatchObject({ output: 'failed after 2' });
});

it.each([
  [true, 200],
  [false, 404],
])('undoes it when the run is cancelled with compensate %j', async (compensate, status) => {
  const run = await waiting();
  const { body } = await api.post<RunView>(`/runs/${run.id}/cancel`, { compensate });
  expect(['cancelling', 'cancelled']).toContain(body.status);
  const ended = await api.ended(run.id);

  expect(ended.status).toBe('cancelled');
  const path = encodeURIComponent('book[1]~compensate');
  expect((await api.get(`/runs/${run.id}/steps/${path}`)).status).toBe(status);
  expect(await stepAt(run, 'report')).toMatchObject({ status: 'completed', output: 'cancelled after 2' });
});

it('refuses to compensate by anything but a boolean', async () => {
  const run = await api.finish({ steps: [{ id: 'a', kind: 'transform', expression: '1' }] });

  expect(await api.post(`/runs/${run.id}/cancel`, { compensate: 'yes' })).toMatchObject({
    status: 400,
    body: { issues: [{ pointer: '/compensate' }] },
  });
});

describe('a parked run that is cancelled while the only slot is taken', () => {
  let single: RunningApp;

  beforeAll(async () => {
    single = await startApp({ env: { AGENT_MAX_CONCURRENT_WORKFLOWS: '1' } });
  });

  afterAll(() => single.close());

  it('does its last step once the slot is free', async () => {
    const own = new Api(single.url);
    const parked = await own.start({
      steps: [
        { id: 'wait', kind: 'signal', signal: 'go' },
        { id: 'tidy', agent: 'scripted', finally: true, input: { output: 'bye' } },
      ],
    });
    const statusOf = async (id: string): Promise<string> =>
      (await own.get<{ readonly status: string }>(`/runs/${id}`)).body.status;
    await until(async () => (await statusOf(parked.id)) === 'waiting', 'it waits');
    const busy = await own.start({
      steps: [{ id: 'hold', kind: 'agent', agent: 'scripted', input: { delayMs: 1_500 } }],
    });
    await until(async () => (await statusOf(busy.id)) === 'running', 'the slot is taken');

    await own.post(`/runs/${parked.id}/cancel`);
    await until(async () => (await statusOf(parked.id)) === 'cancelled', 'it has ended', 20_000);

    const types = (await own.events(parked.id)).map(({ type }) => type);
    expect(types.slice(-4)).toEqual(['run.ending', 'step.started', 'step.completed', 'run.cancelled']);
    expect(await statusOf(busy.id)).toBe('completed');
  });
});
