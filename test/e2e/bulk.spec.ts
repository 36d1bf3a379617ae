/** Many runs are cancelled or retried by the filters of their list. */
import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

interface BulkAnswer {
  readonly matched: number;
  readonly done: readonly string[];
  readonly refused: readonly { readonly runId: string; readonly code: string }[];
  readonly nextCursor?: string;
}

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const waits = { steps: [{ id: 'hold', kind: 'signal', signal: 'go' }] };
const fails = { steps: [{ id: 'sum', kind: 'transform', expression: 'context.n + 1' }] };

async function bulk(body: unknown): Promise<BulkAnswer> {
  const answer = await api.post<BulkAnswer>('/runs/bulk', body);
  expect(answer.status).toBe(200);
  return answer.body;
}

async function started(definition: unknown, tag: string, count: number): Promise<readonly string[]> {
  const runs: RunView[] = [];
  for (let n = 0; n < count; n += 1) runs.push(await api.start(definition, { tags: [tag] }));
  return runs.map(({ id }) => id);
}

const statusOf = async (id: string): Promise<string> => (await api.get<RunView>(`/runs/${id}`)).body.status;

it('counts first, then cancels what has not ended, a few at a time', async () => {
  const ids = await started(waits, 'bulk-cancel', 5);
  const others = await started(waits, 'bulk-other', 1);
  for (const id of ids) await api.event(id, 'run.waiting');
  await api.post(`/runs/${String(ids[1])}/cancel`);
  await api.ended(String(ids[1]));
  const filter = { tag: 'bulk-cancel' };

  expect(await bulk({ action: 'cancel', filter, dryRun: true })).toMatchObject({ matched: 4, done: [] });
  expect(await statusOf(String(ids[0]))).toBe('waiting');
  const done: string[] = [];
  let cursor: string | undefined;
  for (let requests = 0; requests < 10; requests += 1) {
    const answer: BulkAnswer = await bulk({
      action: 'cancel',
      filter,
      limit: 2,
      ...(cursor !== undefined && { cursor }),
    });
    expect(answer.done.length).toBeLessThanOrEqual(2);
    done.push(...answer.done);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  expect(done.toSorted()).toEqual(ids.filter((_, index) => index !== 1).toSorted());
  for (const id of ids) expect((await api.ended(id)).status).toBe('cancelled');
  expect(await statusOf(String(others[0]))).toBe('waiting');
  expect(await bulk({ action: 'cancel', filter })).toMatchObject({ matched: 0, done: [], refused: [] });
});

it('retries what has ended badly, by the code of its failure', async () => {
  const ids = await started(fails, 'bulk-retry', 3);
  for (const id of ids) expect((await api.ended(id)).status).toBe('failed');
  const filter = { tag: 'bulk-retry', errorCode: 'expression.failed' };
  const answer = await bulk({ action: 'retry', filter, reason: 'mended' });

  expect(answer).toMatchObject({ matched: 3, refused: [] });
  expect(answer.done.toSorted()).toEqual(ids.toSorted());
  for (const id of ids) expect(await api.ended(id)).toMatchObject({ status: 'failed', retries: 1 });
  expect((await api.events(String(ids[0]))).find(({ type }) => type === 'run.retried')?.data).toMatchObject({
    reason: 'mended',
  });
});

it.each([
  [{ action: 'delete', filter: {} }],
  [{ action: 'cancel' }],
  [{ action: 'cancel', filter: { status: 'unknown' } }],
  [{ action: 'cancel', filter: { limit: 3 } }],
  [{ action: 'cancel', filter: {}, limit: 501 }],
])('refuses %j', async (body) => {
  expect((await api.post('/runs/bulk', body)).status).toBe(400);
});
