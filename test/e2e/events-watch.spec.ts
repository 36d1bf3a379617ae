/** Watching runs for a list: what a front end shows of many runs at once. */
import type { RunItem } from '../../src/runs/run-item.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { chain, SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

let service: RunningApp;
let api: Api;
let client: SocketClient;

beforeEach(async () => {
  service = await startApp();
  api = new Api(service.url);
  client = await SocketClient.open(service.url);
});

afterEach(async () => {
  client.close();
  await service.close();
});

const quick = { steps: [scripted('one', { output: 1 })] };
const patient = { steps: [scripted('wait', { delayMs: 60_000 })] };

function summaries(of: SocketClient = client): readonly RunItem[] {
  return of.contents('run.summary') as readonly RunItem[];
}

function told(runId: string, status: string, of?: SocketClient): boolean {
  return summaries(of).some((item) => item.id === runId && item.status === status);
}

describe('runs.watch', () => {
  it('answers the newest runs as a list of runs shows them', async () => {
    await api.finish(quick);
    const second = await api.finish(quick);

    const { items } = await client.done('runs.watch', {});

    const listed = await api.get<{ readonly items: readonly RunItem[] }>('/runs?limit=50');
    expect(items).toEqual(listed.body.items);
    expect(items[0]?.id).toBe(second.id);
  });

  it('sends a summary of every run that changes, up to its end', async () => {
    await client.done('runs.watch', {});

    const runs = await Promise.all(upTo(20).map(() => api.start(chain(3, { output: 1 }))));
    await until(() => runs.every(({ id }) => told(id, 'completed')), 'every end was told');

    const last = summaries().findLast(({ id }) => id === runs[0]?.id);
    const listed = await api.get<{ readonly items: readonly RunItem[] }>('/runs?limit=50');
    expect(last).toEqual(listed.body.items.find(({ id }) => id === runs[0]?.id));
  });

  it('gathers the changes of a run', async () => {
    await client.done('runs.watch', {});

    const run = await api.finish(chain(40, { output: 1 }));
    await until(() => told(run.id, 'completed'), 'the end was told');

    const ofRun = summaries().filter(({ id }) => id === run.id);
    expect(ofRun.length).toBeLessThan(run.lastSeq / 2);
    expect(ofRun.map(({ lastSeq }) => lastSeq)).toEqual(
      ofRun.map(({ lastSeq }) => lastSeq).toSorted((a, b) => a - b),
    );
  });

  it('tells of a run that matches the filter, and once when it does so no more', async () => {
    await client.done('runs.watch', { status: 'running' });

    const run = await api.start(patient);
    await until(() => told(run.id, 'running'), 'it was told as running');
    await api.post(`/runs/${run.id}/cancel`);
    await until(() => told(run.id, 'cancelled') || told(run.id, 'cancelling'), 'its leaving was told');

    const other = await api.finish(quick);
    await client.done('runs.watch', {});
    expect(told(other.id, 'completed')).toBe(false);
  });

  it('replaces the watch that the socket had', async () => {
    await client.done('runs.watch', {});
    await client.done('runs.watch', { workflowId: 'wf_nobody' });

    const run = await api.finish(quick);
    const { items } = await client.done('runs.watch', {});

    expect(items[0]?.id).toBe(run.id);
    expect(summaries().map(({ id }) => id)).not.toContain(run.id);
  });

  it('serves many sockets, and those that go are forgotten', async () => {
    const others = await Promise.all(upTo(10).map(() => SocketClient.open(service.url)));
    await Promise.all(others.map((other) => other.done('runs.watch', {})));
    others.slice(5).forEach((other) => {
      other.close();
    });

    const run = await api.finish(quick);
    await until(
      () => others.slice(0, 5).every((other) => told(run.id, 'completed', other)),
      'all who stayed were told',
    );

    expect(others.slice(5).flatMap((other) => summaries(other).map(({ id }) => id))).not.toContain(run.id);
    others.forEach((other) => {
      other.close();
    });
  });

  it.each([
    [{ status: 'sleeping' }, '/status'],
    [{ workflowId: 'nope' }, '/workflowId'],
    [{ tag: 'a' }, '/tag'],
  ])('refuses %j', async (payload, pointer) => {
    const answer = await client.askAnything('runs.watch', payload);

    expect(answer).toMatchObject({ ok: false, problem: { code: 'request.invalid', issues: [{ pointer }] } });
  });
});

describe('runs.unwatch', () => {
  it('ends it, and may be said twice', async () => {
    await client.done('runs.watch', {});
    await client.done('runs.unwatch', {});

    const run = await api.finish(quick);

    expect(await client.done('runs.unwatch', {})).toEqual({});
    expect((await client.done('run.status', { runId: run.id })).status).toBe('completed');
    expect(summaries().map(({ id }) => id)).not.toContain(run.id);
  });
});
