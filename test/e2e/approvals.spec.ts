/** Approvals over REST: the inbox, answers, links for people outside, and agents that try. */
import { rmSync } from 'node:fs';

import type {
  ApprovalDto,
  ApprovalLinkDto,
  LinkedApprovalDto,
} from '../../src/approvals/dto/approval.dto.js';
import type { Json } from '../../src/kernel/json.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { TokenSigner } from '../../src/platform/ports/token-signer.js';
import type { StepView } from '../../src/runs/domain/view.js';
import { encodeClaim, LINK_PURPOSE } from '../../src/approvals/link-token.js';
import { Api } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';

const ADMIN_KEY = 'an-admin-key-of-a-test-0001';

interface Listed {
  readonly items: readonly ApprovalDto[];
}

const form = {
  type: 'object',
  required: ['note'],
  properties: { note: { type: 'string' } },
  additionalProperties: false,
};
const asking = (more: object = {}): object => ({
  steps: [{ id: 'ask', kind: 'approval', prompt: 'Publish "{{ input.title }}"?', ...more }],
});

let dataDir: string;
let service: RunningApp;
let api: Api;

async function start(env: Record<string, string> = {}): Promise<void> {
  service = await startApp({ dataDir, env });
  api = new Api(service.url, { 'x-api-key': ADMIN_KEY });
}

beforeAll(async () => {
  dataDir = makeDataDir();
  await start({ ADMIN_KEY, EGRESS_ALLOWED_HOSTS: '127.0.0.1' });
});

afterAll(async () => {
  await service.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A run that waits, and the approval that it waits for. */
async function asked(more: object = {}): Promise<{ readonly runId: string; readonly id: string }> {
  const { id: runId } = await api.start(asking(more), { input: { title: 'Blue Monday' } });
  await api.event(runId, 'run.waiting');
  const { body } = await api.get<Listed>(`/approvals?status=open&runId=${runId}`);
  return { runId, id: body.items[0]?.id ?? '' };
}

const answer = (
  id: string,
  decision: string,
  data?: Json,
): Promise<{ readonly status: number; readonly body: ApprovalDto & Pick<ProblemDocument, 'issues'> }> =>
  api.post(`/approvals/${id}`, { decision, ...(data !== undefined && { data }) });

it('is in the inbox until somebody answers, and the run goes on with the answer', async () => {
  const { runId, id } = await asked({ form });
  const open = await api.get<ApprovalDto>(`/approvals/${id}`);
  expect(open.body).toMatchObject({
    id,
    runId,
    path: 'ask',
    status: 'open',
    prompt: 'Publish "Blue Monday"?',
    form,
  });

  const answered = await answer(id, 'approve', { note: 'well done' });
  const run = await api.ended(runId);

  expect(answered.status).toBe(200);
  expect(answered.body).toMatchObject({
    status: 'approved',
    decision: 'approve',
    data: { note: 'well done' },
  });
  expect(run.output).toMatchObject({ ask: { decision: 'approve', data: { note: 'well done' } } });
  expect((await api.get<Listed>(`/approvals?status=open&runId=${runId}`)).body.items).toEqual([]);
  expect((await api.get<Listed>(`/approvals?runId=${runId}`)).body.items).toEqual([answered.body]);
});

it('takes the first answer: the same one again is answered alike, another one is refused', async () => {
  const { id } = await asked();
  const first = await answer(id, 'approve', { b: 1, a: [2] });

  expect(await answer(id, 'approve', { a: [2], b: 1 })).toMatchObject({ status: 200, body: first.body });
  for (const other of [answer(id, 'reject', { a: [2], b: 1 }), answer(id, 'approve', null)])
    expect(await other).toMatchObject({ status: 409, body: { code: 'approval.decided' } });
});

it('has one winner when many answer at once', async () => {
  const { id } = await asked({ onReject: 'continue' });
  const decisions = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'approve' : 'reject'));
  const answers = await Promise.all(decisions.map((decision) => answer(id, decision)));

  const { decision } = (await api.get<ApprovalDto>(`/approvals/${id}`)).body;
  const expected = decisions.map((one) => (one === decision ? 200 : 409));
  expect(answers.map(({ status }) => status)).toEqual(expected);
});

it.each<[string, Json | undefined, string | undefined]>([
  ['approve', undefined, '/data'],
  ['approve', { note: 1 }, '/data/note'],
  ['reject', { other: 1 }, '/data'],
])('refuses %s with %j where it does not fit the form', async (decision, data, pointer) => {
  const { id } = await asked({ form });
  const refused = await answer(id, decision, data);

  expect(refused).toMatchObject({ status: 422, body: { code: 'approval.data-invalid' } });
  expect(refused.body.issues?.[0]?.pointer).toBe(pointer);
  expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.status).toBe('open');
});

it('may be rejected without filling the form in', async () => {
  const { id, runId } = await asked({ form });

  expect(await answer(id, 'reject')).toMatchObject({ status: 200, body: { status: 'rejected' } });
  expect(await api.ended(runId)).toMatchObject({ status: 'failed', failure: { code: 'approval.rejected' } });
});

it('is for its assignees: the id or the name of a key', async () => {
  const mine = await asked({ assignees: ['admin', 'ada'] });
  const others = await asked({ assignees: ['ada'] });
  const { body } = await api.get<Listed>('/approvals?assignee=ada&status=open');

  expect(body.items.map(({ id }) => id).toSorted()).toEqual([mine.id, others.id].toSorted());
  expect(await answer(others.id, 'approve')).toMatchObject({
    status: 403,
    body: { code: 'approval.not-assignee' },
  });
});

it('ends with its run, and then nobody can answer it', async () => {
  const { runId, id } = await asked();
  await api.post(`/runs/${runId}/cancel`);
  await api.ended(runId);

  expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.status).toBe('cancelled');
  expect(await answer(id, 'approve')).toMatchObject({ status: 409, body: { code: 'approval.closed' } });
});

it('goes its way when nobody answers in time', async () => {
  const { id: runId } = await api.start(asking({ timeoutMs: 1, onTimeout: { output: 'late' } }), {
    input: { title: 'x' },
  });

  expect((await api.ended(runId)).output).toEqual({ ask: 'late' });
  const { body } = await api.get<Listed>(`/approvals?runId=${runId}`);
  expect(body.items).toMatchObject([{ status: 'timed_out' }]);
});

it.each([
  ['/approvals/apr_none', 404],
  ['/approvals?status=maybe', 400],
  ['/approvals/constructor', 404],
])('answers %s with %i', async (path, status) => {
  expect((await api.get(path)).status).toBe(status);
});

describe('with what every step has', () => {
  const ask = { id: 'ask', kind: 'approval', form };

  /** A run of these steps, once it asks. */
  async function askedBy(
    ...steps: readonly object[]
  ): Promise<{ readonly runId: string; readonly id: string }> {
    const { id: runId } = await api.start({ steps });
    return { runId, id: await openOf(runId) };
  }

  async function openOf(runId: string): Promise<string> {
    const list = async (): Promise<readonly ApprovalDto[]> =>
      (await api.get<Listed>(`/approvals?status=open&runId=${runId}`)).body.items;
    await until(async () => (await list()).length > 0, 'somebody is asked');
    return (await list())[0]?.id ?? '';
  }

  const stepOf = async (runId: string, path: string): Promise<StepView> =>
    (await api.get<StepView>(`/runs/${runId}/steps/${path}`)).body;

  it('fails with an output that its schema refuses, and is answered all the same', async () => {
    const outputSchema = { type: 'object', properties: { decision: { const: 'approve' } } };
    const { runId, id } = await askedBy({ ...ask, outputSchema, onReject: 'continue' });

    expect(await answer(id, 'reject')).toMatchObject({ status: 200, body: { status: 'rejected' } });
    expect(await api.ended(runId)).toMatchObject({
      status: 'failed',
      failure: { code: 'step.output-invalid' },
    });
  });

  it('checks the output that stands for no answer, too', async () => {
    const late = { timeoutMs: 1, onTimeout: { output: 7 }, outputSchema: { type: 'object' } };
    const { id: runId } = await api.start({ steps: [{ ...ask, ...late }] });

    expect(await api.ended(runId)).toMatchObject({ failure: { code: 'step.output-invalid' } });
  });

  it('writes what was answered to the context', async () => {
    const { runId, id } = await askedBy({ ...ask, writes: { said: '{{ output.data.note }}' } });
    await answer(id, 'approve', { note: 'well done' });

    expect(await api.ended(runId)).toMatchObject({ status: 'completed', context: { said: 'well done' } });
  });

  it('is undone with what was answered', async () => {
    const compensate = { agent: 'echo', input: 'forget {{ output.data.note }}' };
    const { runId, id } = await askedBy(
      { ...ask, compensate },
      { id: 'break', kind: 'fail', code: 'test.broken', dependsOn: ['ask'] },
    );
    await answer(id, 'approve', { note: 'it' });

    expect((await api.ended(runId)).failure?.code).toBe('test.broken');
    const undone = { id: 'ask', path: 'ask~compensate', status: 'completed', output: 'forget it' };
    expect(await stepOf(runId, 'ask~compensate')).toMatchObject(undone);
    const { body } = await api.get<{ readonly items: readonly StepView[] }>(`/runs/${runId}/steps`);
    expect(body.items.map(({ path }) => path)).toEqual(['ask', 'break', 'ask~compensate']);
  });

  it('is caught when it is rejected', async () => {
    const { runId, id } = await askedBy(
      { ...ask, catch: 'mend' },
      { id: 'mend', agent: 'echo', input: '{{ steps.ask.error.code }}' },
    );
    await answer(id, 'reject');

    expect(await api.ended(runId)).toMatchObject({
      status: 'completed',
      output: { mend: 'approval.rejected' },
    });
  });

  it.each(['failed', 'cancelled'])(
    'asks last in a run that has %s, and waits for the answer',
    async (status) => {
      const { id: runId } = await api.start({
        steps: [
          { id: 'hold', kind: 'signal', signal: 'go' },
          { id: 'break', kind: 'fail', code: 'test.broken', dependsOn: ['hold'] },
          { ...ask, finally: true, prompt: 'It has {{ run.end.status }}: clean up?' },
        ],
      });
      await api.event(runId, 'run.waiting');
      if (status === 'cancelled') await api.post(`/runs/${runId}/cancel`);
      else await api.post(`/runs/${runId}/signals/go`, { data: null });
      const id = await openOf(runId);

      expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.prompt).toBe(
        `It has ${status}: clean up?`,
      );
      expect((await answer(id, 'approve', { note: 'yes' })).status).toBe(200);
      expect((await api.ended(runId)).status).toBe(status);
      expect(await stepOf(runId, 'ask')).toMatchObject({
        status: 'completed',
        output: { decision: 'approve' },
      });
    },
  );
});

it('outlives the process: what was asked before a restart is answered after it', async () => {
  const { runId, id } = await asked();
  await service.close();
  await start({ EGRESS_ALLOWED_HOSTS: '127.0.0.1' });

  expect((await answer(id, 'approve')).status).toBe(200);
  expect((await api.ended(runId)).status).toBe('completed');
});

describe('a link', () => {
  const outside = (): Api => new Api(service.url);
  const make = async (id: string, body: object = {}): Promise<ApprovalLinkDto> =>
    (await api.post<ApprovalLinkDto>(`/approvals/${id}/links`, body)).body;

  it('shows one approval and answers it, without a key', async () => {
    const { id, runId } = await asked({ form });
    const { token, href } = await make(id, { for: 'ada@example.com' });
    expect(href).toBe(`/api/v1/approval-links/${token}`);

    const shown = await outside().get<LinkedApprovalDto>(`/approval-links/${token}`);
    const answered = await outside().post<LinkedApprovalDto>(`/approval-links/${token}`, {
      decision: 'approve',
      data: { note: 'fine' },
    });

    expect(shown.body).toMatchObject({ id, status: 'open', prompt: 'Publish "Blue Monday"?', form });
    expect(JSON.stringify(shown.body)).not.toContain(runId);
    expect(answered).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.by).toBe('ada@example.com');
    expect((await outside().get(`/approvals/${id}`)).status).toBe(401);
  });

  it('to an assigned approval is for an assignee', async () => {
    const { id } = await asked({ assignees: ['ada@example.com'] });
    for (const body of [{}, { for: 'eve@example.com' }])
      expect(await api.post(`/approvals/${id}/links`, body)).toMatchObject({
        status: 403,
        body: { code: 'approval.not-assignee' },
      });
    const { token } = await make(id, { for: 'ada@example.com' });

    expect((await outside().post(`/approval-links/${token}`, { decision: 'approve' })).status).toBe(200);
  });

  it('never holds longer than its approval waits', async () => {
    const { id } = await asked({ timeoutMs: 60_000 });
    const { expiresAt } = await make(id);

    expect(expiresAt).toBe((await api.get<ApprovalDto>(`/approvals/${id}`)).body.expiresAt);
  });

  it('is refused when it was made up, changed or has expired', async () => {
    const { id } = await asked();
    const { token } = await make(id);
    const now = service.app.get(Clock, { strict: false }).now();
    const signed = encodeClaim({ namespace: 'default', approval: id, expiresAt: now - 1 });
    const signature = await service.app.get(TokenSigner, { strict: false }).sign(LINK_PURPOSE, signed);
    const [claim = '', mark = ''] = token.split('.');
    const other = encodeClaim({ namespace: 'other', approval: id, expiresAt: now + 60_000 });

    for (const forged of ['x', `${other}.${mark}`, `${claim}.${'A'.repeat(43)}`, `${token}A`])
      expect(await outside().get(`/approval-links/${forged}`)).toMatchObject({
        status: 403,
        body: { code: 'approval.link-invalid' },
      });
    expect(
      await outside().post(`/approval-links/${signed}.${signature}`, { decision: 'approve' }),
    ).toMatchObject({ status: 403, body: { code: 'approval.link-expired' } });
    expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.status).toBe('open');
  });
});

it('is not answered by an agent, not even by one that holds a key and may call this machine', async () => {
  const { id } = await asked();
  const { token } = (await api.post<ApprovalLinkDto>(`/approvals/${id}/links`)).body;
  await api.put('/secrets/our-key', { value: ADMIN_KEY });
  for (const [index, path] of [`/approvals/${id}`, `/approval-links/${token}`].entries()) {
    const key = `answerer-${String(index)}`;
    const settings = {
      url: `${service.url}/api/v1${path}`,
      headers: { 'x-api-key': { secret: 'our-key' }, via: 'nobody' },
      body: { decision: 'approve' },
    };
    const made = await api.post('/agents', { key, kind: 'http', settings });
    expect(made).toMatchObject({ status: 201 });
    const { failure } = await api.finish({ steps: [{ id: 'call', agent: key }] });
    expect(failure).toMatchObject({ details: { status: 403 } });
    expect(JSON.stringify(failure)).toContain('approval.not-by-agent');
  }

  expect((await api.get<ApprovalDto>(`/approvals/${id}`)).body.status).toBe('open');
});
