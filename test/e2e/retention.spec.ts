/** Runs that are deleted: by somebody, and by themselves after their time. What clients then are told. */
import { sql } from 'kysely';

import type { JsonObject } from '../../src/kernel/json.js';
import type { Page } from '../../src/kernel/page.js';
import type { WorkflowMetricsDto } from '../../src/metrics/dto/metric.dto.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { RetentionLoop } from '../../src/runs/retention.loop.js';
import { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { Api, scripted, type Answer } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aFreePort } from '../support/free-port.js';
import { SocketClient } from '../support/socket.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;
const NO_LIMITS = { RATE_LIMIT_READ: '0', RATE_LIMIT_WRITE: '0', RATE_LIMIT_START: '0' };

jest.setTimeout(120_000);

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { ...NO_LIMITS, EGRESS_ALLOWED_HOSTS: '127.0.0.1' } });
  api = new Api(service.url);
});

afterAll(() => service.close());

const FILE = { name: 'a.txt', mediaType: 'text/plain', text: 'Guten Tag' };
const withFile = { steps: [scripted('draw', { artifacts: [FILE] })] };

/** Deletes a run, as soon as those who follow the log have read all of it. */
async function deleted(runId: string): Promise<void> {
  let last: Answer<unknown> | undefined;
  await until(
    async () => {
      last = await api.delete(`/runs/${runId}`);
      return (last.body as { readonly code?: string } | undefined)?.code !== 'run.unread';
    },
    `${runId} is deleted`,
    60_000,
  );
  expect([last?.status, last?.body]).toEqual([204, undefined]);
}

/** Lets runs have ended some days ago, and looks for what is too old. */
async function age(days: number, ...runIds: readonly string[]): Promise<void> {
  const { kysely } = service.app.get(SqlDatabase);
  for (const runId of runIds)
    await sql`update runs set ended_at = ended_at - ${days * DAY_MS} where id = ${runId}`.execute(kysely);
  await service.app.get(RetentionLoop).look();
}

async function isThere(runId: string): Promise<boolean> {
  return (await api.get(`/runs/${runId}`)).status === 200;
}

describe('a run that somebody deletes', () => {
  it('is gone with its files, and who asks for its events is told so', async () => {
    const { id, lastSeq } = await api.finish(withFile, { tags: ['gone'] });
    await deleted(id);
    const reset = {
      runId: id,
      seq: lastSeq,
      reset: true,
      snapshot: {
        ...{ id, namespace: 'default', status: 'completed', lastSeq, tags: ['gone'] },
        purgedAt: expect.stringMatching(/Z$/) as string,
      },
    };

    expect((await api.get(`/runs/${id}`)).body).toMatchObject({ code: 'run.not-found' });
    expect((await api.get(`/runs/${id}/artifacts/draw.a.txt`)).status).toBe(404);
    expect((await api.get<Page<RunView>>('/runs?tag=gone')).body.items).toEqual([]);
    expect((await api.get(`/runs/${id}/events?afterSeq=2`)).body).toMatchObject({
      ...{ items: [], lastSeq, more: false },
      reset,
    });
    const stream = await fetch(`${service.url}/api/v1/runs/${id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': '2' },
    });
    const [, event, data = ''] = /event: (\w+)\ndata: (.*)\n/.exec(await stream.text()) ?? [];
    expect([event, JSON.parse(data)]).toMatchObject(['reset', reset]);
    const client = await SocketClient.open(service.url);
    expect(await client.done('run.subscribe', { runId: id, afterSeq: 2 })).toMatchObject(reset);
    client.close();
    expect((await api.delete(`/runs/${id}`)).status).toBe(404);
  });

  it('counts on in the figures', async () => {
    const { id } = await api.finish({ name: 'counted', steps: [scripted('a', {})] });
    await deleted(id);
    const { body } = await api.get<WorkflowMetricsDto>('/metrics/workflows/counted');

    expect(body.runs).toMatchObject({ started: 1, completed: 1 });
  });

  it('takes the runs that it started with it, which do not go alone', async () => {
    const definition = { name: 'nested', steps: [scripted('a', {})] };
    await api.post('/agents', {
      key: 'nested',
      kind: 'workflow',
      description: 'x',
      settings: { definition },
    });
    const { id } = await api.finish({ name: 'outer', steps: [{ id: 'a', agent: 'nested' }] });
    const { body } = await api.get<Page<RunView>>('/runs?limit=2');
    const child = body.items.find(({ name }) => name === 'nested');
    expect(child?.status).toBe('completed');

    expect((await api.delete(`/runs/${String(child?.id)}`)).body).toMatchObject({
      ...{ code: 'run.has-parent', status: 409 },
      details: { parentId: id },
    });
    await deleted(id);
    await until(async () => !(await isThere(String(child?.id))), 'the child is gone', 60_000);
  });

  it('has to have ended, and to be there', async () => {
    const { id } = await api.start({ steps: [{ id: 's', kind: 'signal', signal: 'go' }] });

    expect((await api.delete(`/runs/${id}`)).body).toMatchObject({ code: 'run.not-ended', status: 409 });
    expect((await api.delete('/runs/run_nobody')).body).toMatchObject({ code: 'run.not-found' });
    await api.post(`/runs/${id}/cancel`);
    await api.ended(id);
    await deleted(id);
  });

  it('frees its idempotency key', async () => {
    const start = (): Promise<Answer<RunView>> =>
      api.post<RunView>(
        '/runs',
        { definition: { steps: [scripted('a', {})] } },
        { 'Idempotency-Key': 'once' },
      );
    const { id } = (await start()).body;
    await api.ended(id);
    expect((await start()).body.id).toBe(id);
    await deleted(id);

    expect((await start()).body.id).not.toBe(id);
  });
});

describe('runs that ended long ago', () => {
  it('go by themselves, and those that did not stay', async () => {
    const [old, fresh] = [await api.finish(withFile), await api.finish(withFile)];
    await age(29, fresh.id);
    await until(
      async () => {
        await age(31, old.id);
        return !(await isThere(old.id));
      },
      'the old run is deleted',
      60_000,
    );

    expect(await isThere(fresh.id)).toBe(true);
    const file = await fetch(`${service.url}/api/v1/runs/${fresh.id}/artifacts/draw.a.txt`);
    expect(await file.text()).toBe(FILE.text);
    expect((await api.get(`/runs/${old.id}/events`)).body).toMatchObject({ reset: { runId: old.id } });
  });

  it('stay until webhooks were told of them', async () => {
    const url = `http://127.0.0.1:${String(await aFreePort())}/hook`;
    const hook: JsonObject = { url, filter: { tag: 'told' } };
    const { body: webhook } = await api.post<{ readonly id: string }>('/webhooks', hook);
    const { id } = await api.finish({ steps: [scripted('a', {})] }, { tags: ['told'] });
    const deliveries = async (): Promise<number> =>
      (await api.get<Page<unknown>>(`/webhooks/${webhook.id}/deliveries`)).body.items.length;
    await until(async () => (await deliveries()) > 0, 'there are deliveries', 60_000);
    await age(31, id);
    expect(await isThere(id)).toBe(true);

    await api.delete(`/webhooks/${webhook.id}`);
    await until(
      async () => {
        await age(0);
        return !(await isThere(id));
      },
      'the run is deleted',
      60_000,
    );
  });
});
