/** Finding runs by what became of them, and taking their log along. */
import type { Page } from '../../src/kernel/page.js';
import type { ProblemDocumentDto } from '../../src/platform/http/dto/problem.dto.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunItemDto } from '../../src/runs/dto/run.dto.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

let workflowId: string;

beforeAll(async () => {
  service = await startApp({ env: { AGENT_MAX_QUEUE_SIZE: '1000' } });
  api = new Api(service.url);
  const definition = {
    name: 'stored',
    steps: [scripted('a', { output: 1, usage: { costMicros: 2_500_000 } })],
  };
  const { body } = await api.post<{ readonly id: string }>('/workflows', { name: 'stored', definition });
  workflowId = body.id;
  await api.post('/workflows/stored/runs', { tags: ['dear'] }, { Prefer: 'wait=30' });
  await api.finish({ name: 'well', steps: [scripted('a', { output: 1 })] }, { tags: ['night', 'b.c'] });
  await api.finish({
    name: 'badly',
    steps: [
      scripted('a', {
        failTimes: 1,
        error: { code: 'x.broken', message: 'The Glass is 50% empty', retryable: false },
      }),
    ],
  });
});

afterAll(() => service.close());

describe('GET /runs', () => {
  it.each([
    ['errorCode=x.broken', ['badly']],
    ['errorCode=x', []],
    ['errorText=glass%20IS', ['badly']],
    ['errorText=50%25', ['badly']],
    ['errorText=60%25', []],
    ['tag=night', ['well']],
    ['tag=nig', []],
    ['tag=b.c&status=completed', ['well']],
    ['tag=night&status=failed', []],
    ['minCostUsd=0.000001', ['stored']],
    ['minCostUsd=2.5&maxCostUsd=2.5', ['stored']],
    ['minCostUsd=2.500001', []],
    ['maxCostUsd=2&tag=dear', []],
    ['errorCode=x.broken&tag=night', []],
    ['maxCostUsd=0&status=failed', ['badly']],
    ['from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z', []],
    ['from=2020-01-01T00:00:00Z&status=failed', ['badly']],
  ])('?%s finds %j', async (query, names) => {
    const { status, body } = await api.get<Page<RunItemDto>>(`/runs?${query}`);

    expect(status).toBe(200);
    expect(body.items.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['', ['stored']],
    ['&status=completed&tag=dear&minCostUsd=1&from=2020-01-01T00:00:00Z', ['stored']],
    ['&status=failed', []],
  ])('?workflowId=…%s finds %j', async (query, names) => {
    const { body } = await api.get<Page<RunItemDto>>(`/runs?workflowId=${workflowId}${query}`);

    expect(body.items.map(({ name }) => name)).toEqual(names);
  });

  it('leads through a range of time by cursors', async () => {
    const names: (string | undefined)[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const rest: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await api.get<Page<RunItemDto>>(`/runs?from=2020-01-01T00:00:00Z&limit=1${rest}`);
      names.push(...body.items.map(({ name }) => name));
      cursor = body.nextCursor;
    }

    expect(names.slice(0, 2)).toEqual(['badly', 'well']);
    const all = await api.get<Page<RunItemDto>>('/runs?limit=50');
    // Seeded examples are not in the order of their ids.
    expect(new Set(names)).toEqual(new Set(all.body.items.map(({ name }) => name)));
    expect(names).toHaveLength(all.body.items.length);
  });

  it.each([
    ['minCostUsd=-1', '/minCostUsd'],
    ['maxCostUsd=much', '/maxCostUsd'],
    ['errorText=', '/errorText'],
    ['from=monday', '/from'],
  ])('?%s is refused at %s', async (query, pointer) => {
    const { status, body } = await api.get<ProblemDocumentDto>(`/runs?${query}`);

    expect(status).toBe(400);
    expect(body.issues?.[0]?.pointer).toBe(pointer);
  });
});

describe('GET /runs/export', () => {
  const exported = async (query: string): Promise<readonly RunEvent[]> => {
    const answer = await fetch(`${service.url}/api/v1/runs/export?${query}`);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as RunEvent);
  };

  it('gives every event of the runs that match, run after run, the newest first', async () => {
    const { body } = await api.get<Page<RunItemDto>>('/runs?limit=200&from=2020-01-01T00:00:00Z');
    const logs: (readonly RunEvent[])[] = [];
    for (const { id } of body.items) logs.push(await api.events(id));

    expect(body.items.length).toBeGreaterThan(3);
    expect(await exported('from=2020-01-01T00:00:00Z')).toEqual(logs.flat());
  });

  it('leads over pages of runs', async () => {
    const starts = Array.from({ length: 205 }, () =>
      api.finish({ steps: [{ id: 'a', kind: 'transform', expression: '1' }] }, { tags: ['many'] }),
    );
    const ids = (await Promise.all(starts)).map(({ id }) => id);
    const events = await exported('tag=many');

    expect(new Set(events.map(({ runId }) => runId))).toEqual(new Set(ids));
    expect(events.filter(({ type }) => type === 'run.completed')).toHaveLength(205);
  }, 60_000);

  it('is empty where no run matches, and refuses what is no filter', async () => {
    expect(await exported('tag=nobody')).toEqual([]);
    expect((await api.get('/runs/export?limit=5')).status).toBe(400);
    expect((await api.get('/runs/export?status=lost')).status).toBe(400);
  });
});

describe('GET /runs/:id/events as JSON lines', () => {
  const lines = (path: string): Promise<Response> =>
    fetch(`${service.url}/api/v1${path}`, { headers: { accept: 'application/x-ndjson' } });

  it('gives the whole log, each event exactly as it is stored', async () => {
    const steps = Array.from({ length: 40 }, (_, index) => scripted(`s${index}`, { output: 'é\n"' }));
    const { id } = await api.finish({ steps });
    const answer = await lines(`/runs/${id}/events`);
    const text = await answer.text();

    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(answer.headers.get('content-disposition')).toContain(`${id}.ndjson`);
    expect(text.endsWith('\n')).toBe(true);
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(await api.events(id));
  });

  it('begins after an event', async () => {
    const { id, lastSeq } = await api.finish({ steps: [scripted('a', {})] });

    expect(
      (await (await lines(`/runs/${id}/events?afterSeq=${lastSeq - 1}`)).text()).split('\n'),
    ).toHaveLength(2);
    expect(await (await lines(`/runs/${id}/events?afterSeq=${lastSeq}`)).text()).toBe('');
  });

  it('says when there is no such run', async () => {
    const answer = await lines('/runs/run_00000000000070008000000000000099/events');

    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});
