/** The context of a run as a client reads and changes it: by place, by merge patch, by snapshots. */
import type { Json } from '../../src/kernel/json.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

interface ContextView {
  readonly value: Json;
  readonly version: number;
}

interface Problem {
  readonly code: string;
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

/** Writes, waits, and then says what it reads. */
const definition = {
  context: { tone: 'calm', mood: { key: 'minor', tempo: 90 } },
  contextReducers: { seen: 'append' },
  steps: [
    scripted('note', { output: 1 }, { writes: { seen: 'note' } }),
    { id: 'hold', kind: 'signal', signal: 'go', dependsOn: ['note'] },
    { id: 'read', agent: 'echo', input: '{{ context }}', dependsOn: ['hold'] },
  ],
  output: '{{ steps.read.output }}',
};

async function waiting(): Promise<RunView> {
  const run = await api.start(definition);
  await api.event(run.id, 'run.waiting');
  return run;
}

const contextOf = async (run: RunView, query = ''): Promise<ContextView> =>
  (await api.get<ContextView>(`/runs/${run.id}/context${query}`)).body;

async function patch(
  run: Pick<RunView, 'id'>,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: ContextView & Problem; readonly headers: Headers }> {
  const answer = await fetch(`${service.url}/api/v1/runs/${run.id}/context`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as ContextView & Problem,
    headers: answer.headers,
  };
}

const said = ({ status, body }: { readonly status: number; readonly body: Partial<Problem> }): string =>
  `${String(status)} ${body.code ?? ''}`.trim();

it('is read as a whole and by place, with its version', async () => {
  const run = await waiting();
  const events = await api.events(run.id);
  const version = events.find(({ type }) => type === 'context.updated')?.seq ?? 0;
  const whole = await api.get<ContextView>(`/runs/${run.id}/context`);

  expect(whole.body).toEqual({ value: { ...definition.context, seen: ['note'] }, version });
  expect(whole.headers.get('etag')).toBe(`"${String(version)}"`);
  expect(await contextOf(run, '?path=mood.tempo')).toEqual({ path: 'mood.tempo', value: 90, version });
  expect(await contextOf(run, '?path=seen.0')).toEqual({ path: 'seen.0', value: 'note', version });
  expect(said(await api.get(`/runs/${run.id}/context?path=mood.none`))).toBe('404 context.path-not-found');
  expect(said(await api.get('/runs/run_none/context'))).toBe('404 run.not-found');
});

it('is changed by a merge patch that later steps read, and that is in the log', async () => {
  const run = await waiting();
  const changed = await patch(run, { tone: null, mood: { tempo: 120 }, constructor: 'x' });
  expect(changed.status).toBe(200);
  expect(changed.body.value).toEqual({
    mood: { key: 'minor', tempo: 120 },
    seen: ['note'],
    constructor: 'x',
  });
  await api.post(`/runs/${run.id}/signals/go`);
  const ended = await api.ended(run.id);

  expect(ended.output).toEqual(changed.body.value);
  const updates = (await api.events(run.id)).filter(({ type }) => type === 'context.updated');
  expect(updates.at(-1)).toMatchObject({
    seq: changed.body.version,
    data: { path: '', reducer: 'merge-patch', value: { mood: { tempo: 120 } } },
  });
  expect(said(await patch(run, { late: true }))).toBe('409 run.not-active');
});

it('is changed only at the version that a change is based on', async () => {
  const run = await waiting();
  const { version } = await contextOf(run);
  const ifMatch = { 'If-Match': `"${String(version)}"` };
  const answers = await Promise.all([patch(run, { by: 'a' }, ifMatch), patch(run, { by: 'b' }, ifMatch)]);
  const winner = answers.find(({ status }) => status === 200);

  expect(answers.map(said).toSorted()).toEqual(['200', '412 version.stale']);
  expect((await contextOf(run, '?path=by')).value).toBe((winner?.body.value as { by: string }).by);
  expect(said(await patch(run, { by: 'c' }, ifMatch))).toBe('412 version.stale');
  const fresh = { 'If-Match': winner?.headers.get('etag') ?? '' };
  expect(said(await patch(run, { by: 'd' }, fresh))).toBe('200');
});

it('is changed once for one key', async () => {
  const run = await waiting();
  const key = { 'Idempotency-Key': `patch-${run.id}` };
  const first = await patch(run, { n: 1 }, key);
  const again = await patch(run, { n: 1 }, key);

  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.body).toEqual(first.body);
  const updates = (await api.events(run.id)).filter(({ type }) => type === 'context.updated');
  expect(updates).toHaveLength(2);
});

it.each(['[]', 'null', '7', '"text"'])('is not changed by %s, which is no merge patch', async (body) => {
  expect(said(await patch(await waiting(), body))).toBe('400 request.invalid');
});

it('is not made larger than it may be', async () => {
  const run = await waiting();
  const half = 'x'.repeat(2_500_000);

  expect(said(await patch(run, { a: half }))).toBe('200');
  expect(said(await patch(run, { b: half }))).toBe('413 context.too-large');
  await api.post(`/runs/${run.id}/cancel`);
});

it('is named, and given back to a paused run', async () => {
  const run = await waiting();
  const made = await api.post<{ seq: number }>(`/runs/${run.id}/snapshots`, { name: 'before' });
  expect(made).toMatchObject({ status: 201, body: { name: 'before' } });
  await patch(run, { tone: 'wild', extra: true });
  const restore = `/runs/${run.id}/snapshots/before/restore`;
  expect(said(await api.post(restore))).toBe('409 run.not-paused');
  await api.post(`/runs/${run.id}/pause`);
  const restored = await api.post<RunView>(restore);

  expect(restored).toMatchObject({ status: 200, body: { id: run.id, status: 'paused' } });
  expect(restored.body.context).toEqual({ ...definition.context, seen: ['note'] });
  const { body } = await api.get<{ items: readonly Json[] }>(`/runs/${run.id}/snapshots`);
  expect(body.items).toEqual([
    { name: 'before', seq: made.body.seq, createdAt: expect.any(String) as string },
  ]);
  await api.post(`/runs/${run.id}/resume`);
  await api.post(`/runs/${run.id}/signals/go`);
  expect((await api.ended(run.id)).output).toMatchObject({ tone: 'calm' });
});

it('of a run that has ended is restored in a fork from there', async () => {
  const run = await waiting();
  await api.post(`/runs/${run.id}/snapshots`, { name: 'before' });
  await patch(run, { tone: 'wild' });
  await api.post(`/runs/${run.id}/signals/go`);
  expect((await api.ended(run.id)).output).toMatchObject({ tone: 'wild' });
  const restored = await api.post<RunView>(`/runs/${run.id}/snapshots/before/restore`);
  expect(restored).toMatchObject({ status: 202, body: { forkedFrom: { runId: run.id } } });
  expect(restored.headers.get('location')).toBe(restored.body.links.self);
  await api.post(`/runs/${restored.body.id}/signals/go`);

  expect((await api.ended(restored.body.id)).output).toMatchObject({ tone: 'calm', seen: ['note'] });
});

it('has no two snapshots of one name, and none of a name that is none', async () => {
  const run = await waiting();
  const snapshots = `/runs/${run.id}/snapshots`;
  await api.post(snapshots, { name: 'one' });

  expect(said(await api.post(snapshots, { name: 'one' }))).toBe('409 snapshot.exists');
  expect(said(await api.post(snapshots, { name: 'no name' }))).toBe('400 request.invalid');
  expect(said(await api.post(`${snapshots}/two/restore`))).toBe('404 snapshot.not-found');
  await api.post(`/runs/${run.id}/cancel`);
  expect(said(await api.post(snapshots, { name: 'late' }))).toBe('409 run.not-active');
});
