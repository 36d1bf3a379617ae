/** Schedules over REST. */
import { rmSync } from 'node:fs';

import type { RunView } from '../../src/runs/domain/view.js';
import type { FireDto } from '../../src/schedules/dto/fire.dto.js';
import type { ScheduleDto } from '../../src/schedules/dto/schedule.dto.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

interface Items<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

const QUICK = {
  definition: { steps: [{ id: 'only', agent: 'echo', input: { said: '{{ input.word }}' } }] },
  input: { word: 'hi' },
};
/** Waits until it is cancelled, as far as a test is concerned. */
const LONG = { definition: { steps: [scripted('only', { delayMs: 60_000 })] } };
const FAILING = {
  definition: {
    steps: [scripted('only', { failTimes: 9, error: { code: 'bad', message: 'no', retryable: false } })],
  },
};
const DAILY = { name: 'daily', cron: '0 9 * * *', timezone: 'Europe/Berlin', run: QUICK };

let dataDir: string;
let service: RunningApp;
let api: Api;

async function start(): Promise<void> {
  service = await startApp({ dataDir, env: { RATE_LIMIT_READ: '0' } });
  api = new Api(service.url);
}

beforeAll(async () => {
  dataDir = makeDataDir();
  await start();
});

afterAll(async () => {
  await service.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function create(body: unknown): Promise<ScheduleDto> {
  const { status, body: made } = await api.post<ScheduleDto>('/schedules', body);
  expect({ status, made }).toMatchObject({ status: 201 });
  return made;
}

async function fires(id: string, query = ''): Promise<readonly FireDto[]> {
  return (await api.get<Items<FireDto>>(`/schedules/${id}/fires${query}`)).body.items;
}

async function trigger(id: string): Promise<FireDto> {
  const { status, body } = await api.post<FireDto>(`/schedules/${id}/trigger`);
  expect({ status, body }).toMatchObject({ status: 202 });
  return body;
}

it('is created, read, listed, replaced and deleted', async () => {
  const made = await api.post<ScheduleDto>('/schedules', { ...DAILY, jitterMs: 5_000 });
  const { id } = made.body;
  expect(made.headers.get('location')).toBe(`/api/v1/schedules/${id}`);
  expect(made.headers.get('etag')).toBe('"1"');
  expect(made.body).toMatchObject({
    ...DAILY,
    ...{ version: 1, status: 'active', jitterMs: 5_000, overlap: 'skip', pauseOnFailure: false },
    ...{ catchUpWindowMs: 3_600_000, nextAt: expect.stringMatching(/T0[78]:00:00\.000Z$/) },
  });
  expect((await api.get<ScheduleDto>(`/schedules/${id}`)).body).toEqual(made.body);
  expect((await api.get<Items<ScheduleDto>>('/schedules?status=active')).body.items).toContainEqual(
    made.body,
  );

  const hourly = { name: 'hourly', intervalMs: 3_600_000, startAt: '2026-01-01T00:30:00+01:00', run: QUICK };
  const stale = await api.put(`/schedules/${id}`, hourly, { 'if-match': '"7"' });
  const replaced = await api.put<ScheduleDto>(`/schedules/${id}`, hourly, { 'if-match': '"1"' });
  expect(stale).toMatchObject({ status: 412, body: { code: 'version.stale' } });
  expect(replaced.body).toMatchObject({ name: 'hourly', intervalMs: 3_600_000, version: 2, jitterMs: 0 });
  expect(replaced.body).not.toHaveProperty('cron');
  expect(replaced.body.nextAt).toMatch(/:30:00\.000Z$/);

  expect((await api.delete(`/schedules/${id}`)).status).toBe(204);
  expect(await api.get(`/schedules/${id}`)).toMatchObject({
    status: 404,
    body: { code: 'schedule.not-found' },
  });
  expect(await api.get(`/schedules/${id}/fires`)).toMatchObject({ status: 404 });
});

it('fires by itself, tags its runs, and goes on after a restart', async () => {
  const { id } = await create({ name: 'often', intervalMs: 1_000, overlap: 'allow_all', run: QUICK });
  await until(async () => (await fires(id, '?outcome=started')).length > 0, 'it has fired');
  await service.close();
  await start();
  const before = (await fires(id)).length;
  await until(async () => (await fires(id)).length > before, 'it has fired again');
  await api.post(`/schedules/${id}/pause`);

  const all = await fires(id);
  const instants = all.map(({ scheduledAt }) => Date.parse(scheduledAt));
  const [first = 0, last = 0] = [instants.at(-1), instants.at(0)];
  expect(instants).toEqual(Array.from({ length: (last - first) / 1_000 + 1 }, (_, at) => last - at * 1_000));
  const runs = (await api.get<Items<{ id: string }>>(`/runs?tag=schedule:${id}&limit=200`)).body.items;
  expect(runs.map((run) => run.id).toSorted()).toEqual(all.map(({ runId = '' }) => runId).toSorted());
  expect((await api.ended(all[0]?.runId ?? '')).status).toBe('completed');
});

it('records what passed while the service was down and was too old as missed', async () => {
  const { id, nextAt = '' } = await create({
    name: 'strict',
    intervalMs: 1_000,
    catchUpWindowMs: 0,
    run: QUICK,
  });
  await service.close();
  await until(() => Date.now() > Date.parse(nextAt) + 1_000, 'an instant has passed');
  await start();
  await until(async () => (await fires(id)).length > 0, 'it has looked');

  expect((await fires(id)).at(-1)).toMatchObject({
    ...{ cause: 'scheduled', outcome: 'missed', scheduledAt: nextAt },
    reason: expect.stringContaining('window'),
  });
  await api.delete(`/schedules/${id}`);
});

it('shows when it fires next, over a change of the clocks', async () => {
  const { id } = await create({ ...DAILY, cron: '30 2 * * *', startAt: '2027-03-27T00:00:00Z' });
  const { body } = await api.get<{ items: readonly string[] }>(`/schedules/${id}/preview?count=3`);

  expect(body.items).toEqual([
    '2027-03-27T01:30:00.000Z',
    '2027-03-28T01:00:00.000Z',
    '2027-03-29T00:30:00.000Z',
  ]);
});

it('is triggered beside its rule, and its overlap policy holds', async () => {
  const { id } = await create({ ...DAILY, run: LONG });
  const first = await trigger(id);
  const second = await trigger(id);

  expect(first).toMatchObject({
    cause: 'triggered',
    outcome: 'started',
    runId: expect.stringMatching(/^run_/),
  });
  expect(second).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('not ended') });

  await api.post(`/runs/${first.runId ?? ''}/cancel`);
  await until(
    async () => (await fires(id)).some(({ runStatus }) => runStatus === 'cancelled'),
    'the end is known',
  );
  expect(await trigger(id)).toMatchObject({ outcome: 'started' });
});

it('lets a later fire take the place of a run', async () => {
  const { id } = await create({ ...DAILY, overlap: 'cancel_other', run: LONG });
  const first = await trigger(id);
  await trigger(id);
  await until(async () => (await fires(id, '?outcome=started')).length === 2, 'the second has started');

  expect(await api.ended(first.runId ?? '')).toMatchObject({ status: 'cancelled' });
});

it('starts what waits after a restart', async () => {
  const { id } = await create({
    ...DAILY,
    overlap: 'buffer_one',
    run: { definition: { steps: [scripted('only', { delayMs: 300 })] } },
  });
  await trigger(id);
  expect(await trigger(id)).toMatchObject({ outcome: 'buffered' });
  expect(await trigger(id)).toMatchObject({ outcome: 'skipped' });
  await service.close();
  await start();
  await until(async () => (await fires(id, '?outcome=started')).length === 2, 'the second has started');

  const [, second] = (await fires(id)).filter(({ outcome }) => outcome === 'started').toReversed();
  expect((await api.ended(second?.runId ?? '')).status).toBe('completed');
});

it('makes up for a time gone by, once', async () => {
  const { id } = await create({ ...DAILY, cron: '0 9 * * 1-5' });
  const span = { from: '2026-01-05T00:00:00Z', to: '2026-01-07T23:00:00Z' };
  const made = await api.post<Items<FireDto>>(`/schedules/${id}/backfill`, span);
  const again = await api.post<Items<FireDto>>(`/schedules/${id}/backfill`, {
    ...span,
    to: '2026-01-08T23:00:00Z',
  });
  await until(async () => (await fires(id, '?outcome=started')).length === 4, 'all have started');

  expect(made.status).toBe(202);
  expect(made.body.items.map(({ scheduledAt, cause }) => [scheduledAt, cause])).toEqual(
    [5, 6, 7].map((day) => [`2026-01-0${String(day)}T08:00:00.000Z`, 'backfilled']),
  );
  expect(again.body.items.map(({ scheduledAt }) => scheduledAt)).toEqual(['2026-01-08T08:00:00.000Z']);
  const none = await api.post<Items<FireDto>>(`/schedules/${id}/backfill`, { from: span.to, to: span.to });
  expect(none.body.items).toEqual([]);
  const many = { from: '2000-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' };
  expect(await api.post(`/schedules/${id}/backfill`, many)).toMatchObject({
    status: 422,
    body: { code: 'schedule.backfill-too-large' },
  });
});

it('is paused by people and by failures, and resumed', async () => {
  const { id } = await create({ ...DAILY, pauseOnFailure: true, run: FAILING });
  const paused = await api.post<ScheduleDto>(`/schedules/${id}/pause`, { note: 'holidays' });
  expect(paused.body).toMatchObject({ status: 'paused', note: 'holidays', version: 2 });
  expect(paused.body).not.toHaveProperty('nextAt');
  const resumed = await api.post<ScheduleDto>(`/schedules/${id}/resume`, {}, { 'if-match': '"2"' });
  expect(resumed.body).toMatchObject({ status: 'active', version: 3, nextAt: expect.any(String) });

  const { runId = '' } = await trigger(id);
  const isPaused = async (): Promise<boolean> =>
    (await api.get<ScheduleDto>(`/schedules/${id}`)).body.status === 'paused';
  await until(isPaused, 'the failure has paused it');
  expect((await api.get<ScheduleDto>(`/schedules/${id}`)).body.note).toBe(`run ${runId} failed`);
  expect((await api.get<RunView>(`/runs/${runId}`)).body.status).toBe('failed');
});

it('records why a run could not be started', async () => {
  const { body: workflow } = await api.post<{ id: string }>('/workflows', {
    name: 'short-lived',
    definition: QUICK.definition,
  });
  const { id } = await create({ ...DAILY, run: { workflow: { name: 'short-lived' } } });
  expect(await api.delete(`/workflows/${workflow.id}`)).toMatchObject({
    status: 409,
    body: { code: 'workflow.in-use', detail: expect.stringContaining(id) },
  });
  expect((await api.delete(`/workflows/${workflow.id}?force=true`)).status).toBe(204);

  expect(await trigger(id)).toMatchObject({ outcome: 'failed', failure: { code: 'workflow.not-found' } });
});

describe('refuses', () => {
  it.each([
    [{ ...DAILY, cron: '0 9 * *' }, 422, 'schedule.invalid', '/cron'],
    [{ ...DAILY, cron: '61 9 * * *' }, 422, 'schedule.invalid', '/cron'],
    [{ ...DAILY, cron: 'H 9 * * *' }, 422, 'schedule.invalid', '/cron'],
    [{ ...DAILY, cron: '0 0 30 2 *' }, 422, 'schedule.invalid', '/cron'],
    [{ ...DAILY, timezone: 'Europe/Atlantis' }, 422, 'schedule.invalid', '/timezone'],
    [{ ...DAILY, intervalMs: 60_000 }, 422, 'schedule.invalid', '/intervalMs'],
    [{ name: 'a', run: QUICK }, 422, 'schedule.invalid', '/cron'],
    [{ name: 'a', intervalMs: 1_000, jitterMs: 1_000, run: QUICK }, 422, 'schedule.invalid', '/jitterMs'],
    [
      { ...DAILY, startAt: '2026-02-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' },
      422,
      'schedule.invalid',
      '/endAt',
    ],
    [
      { ...DAILY, run: { definition: { steps: [{ id: 'a', agent: 'nobody' }] } } },
      422,
      'definition.invalid',
      '/run/definition/steps/0/agent',
    ],
    [{ ...DAILY, run: {} }, 400, 'request.invalid', '/run/definition'],
    [{ ...DAILY, run: { ...QUICK, tags: ['a b'] } }, 400, 'request.invalid', '/run/tags'],
    [{ ...DAILY, startAt: '2026-02-01T00:00:00' }, 400, 'request.invalid', '/startAt'],
    [{ ...DAILY, startAt: '2026-02-31T00:00:00Z' }, 400, 'request.invalid', '/startAt'],
    [{ ...DAILY, intervalMs: 10 }, 400, 'request.invalid', '/intervalMs'],
    [{ ...DAILY, overlap: 'skip_it' }, 400, 'request.invalid', '/overlap'],
    [{ ...DAILY, name: '' }, 400, 'request.invalid', '/name'],
    [{ ...DAILY, secondly: true }, 400, 'request.invalid', '/secondly'],
  ])('%j', async (body, status, code, pointer) => {
    const answer = await api.post<{ code: string; issues: readonly { pointer: string }[] }>(
      '/schedules',
      body,
    );

    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.issues.map((issue) => issue.pointer)).toContain(pointer);
  });
});
