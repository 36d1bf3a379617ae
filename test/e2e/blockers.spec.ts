/** Why nothing happens, as an operator asks it. */
import type { Json, JsonObject } from '../../src/kernel/json.js';
import type { Blocker } from '../../src/runs/domain/blocker.js';
import type { BlockersDto } from '../../src/runs/dto/blocker.dto.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

const NO_LIMITS = { RATE_LIMIT_READ: '0', RATE_LIMIT_WRITE: '0', RATE_LIMIT_START: '0' };
const FOREVER = 600_000;

let service: RunningApp;
let api: Api;

async function blockersOf(runId: string): Promise<BlockersDto> {
  return (await api.get<BlockersDto>(`/runs/${runId}/blockers?limit=200`)).body;
}

/** The reasons of a unit, once the first of them is of a kind. */
async function reasons(runId: string, path: string, kind: Blocker['kind']): Promise<readonly Blocker[]> {
  let found: readonly Blocker[] = [];
  await until(
    async () => {
      const { items } = await blockersOf(runId);
      found = items.find((item) => item.path === path)?.blockers ?? [];
      return found[0]?.kind === kind;
    },
    `${path} of ${runId} waits for ${kind}`,
    20_000,
  );
  return found;
}

const start = async (...steps: readonly Json[]): Promise<string> => (await api.start({ steps })).id;

async function cancel(...runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) await api.post(`/runs/${runId}/cancel`);
}

describe('what a run waits for', () => {
  beforeAll(async () => {
    service = await startApp({ env: NO_LIMITS });
    api = new Api(service.url);
  });

  afterAll(() => service.close());

  const create = async (key: string, kind: string, more: JsonObject): Promise<void> => {
    const { status, body } = await api.post('/agents', { key, kind, description: key, ...more });
    expect([status, body]).toEqual([201, body]);
  };

  it('is a signal, a step before it, and a condition', async () => {
    const runId = await start(
      { id: 'go', kind: 'signal', signal: 'go' },
      { ...(scripted('then', {}) as JsonObject), when: 'steps.go.output == 1' },
    );

    expect(await reasons(runId, 'go', 'signal')).toEqual([{ kind: 'signal', name: 'go' }]);
    expect(await reasons(runId, 'then', 'dependency')).toEqual([
      { kind: 'dependency', path: 'go', status: 'waiting' },
      { kind: 'condition', reads: ['go'] },
    ]);
    await cancel(runId);
  });

  it('is a place at an agent, which another run has', async () => {
    await create('narrow', 'scripted', { limits: { maxConcurrency: 1 } });
    const step = { id: 'a', agent: 'narrow', input: { delayMs: FOREVER } };
    const first = await start(step);
    await reasons(first, 'a', 'attempt');
    const second = await start(step);

    expect(await reasons(second, 'a', 'slot')).toEqual([
      { kind: 'slot', of: 'agent', agent: 'narrow', limit: 1, heldBy: [{ runId: first, path: 'a' }] },
    ]);
    await cancel(first);
    expect(await reasons(second, 'a', 'attempt')).toMatchObject([{ agent: 'narrow', attempt: 1 }]);
    await cancel(second);
  });

  it('is the rate of an agent', async () => {
    await create('slow', 'scripted', { limits: { requestsPerMinute: 1 } });
    const runId = await start({ id: 'a', agent: 'slow' }, { id: 'b', agent: 'slow', dependsOn: ['a'] });

    const [rate] = await reasons(runId, 'b', 'rate');
    expect(rate).toMatchObject({ kind: 'rate', agent: 'slow', of: 'limit' });
    await cancel(runId);
  });

  it('is an agent that was taken offline', async () => {
    await create('gone', 'scripted', {});
    await api.put('/agents/gone/status', { status: 'offline' });
    const runId = await start({ id: 'a', agent: 'gone', retry: { maxAttempts: 50 } });

    const [timer, agent] = await reasons(runId, 'a', 'timer');
    expect(timer).toMatchObject({ of: 'backoff', failure: 'agent.offline' });
    expect(agent).toEqual({ kind: 'agent', agent: 'gone', status: 'offline' });
    await cancel(runId);
  });

  it('is a worker, before and after it has taken the task', async () => {
    const runId = await start({ id: 'a', agent: 'worker', input: 1 });

    const [queued] = await reasons(runId, 'a', 'task');
    expect(queued).toMatchObject({ agent: 'worker', status: 'queued', deliveries: 0 });
    await api.post('/tasks/poll', { agentId: 'worker', waitMs: 20_000 });
    const [leased] = await reasons(runId, 'a', 'task');
    expect(leased).toMatchObject({ agent: 'worker', status: 'leased', deliveries: 1 });
    await cancel(runId);
  });

  it('is another run', async () => {
    const definition = { steps: [{ id: 's', kind: 'signal', signal: 'go' }] };
    await create('nested', 'workflow', { settings: { definition } });
    const runId = await start({ id: 'a', agent: 'nested' });

    const [run] = await reasons(runId, 'a', 'run');
    if (run?.kind !== 'run') throw new Error('no run');
    expect((await reasons(run.runId, 's', 'signal'))[0]).toEqual({ kind: 'signal', name: 'go' });
    await cancel(runId);
  });

  it('is somebody who approves, within a time', async () => {
    const runId = await start({
      ...{ id: 'a', kind: 'approval', prompt: 'Ship?', assignees: ['ada'], timeoutMs: FOREVER },
    });

    const [approval] = await reasons(runId, 'a', 'approval');
    expect(approval).toEqual({
      ...{ kind: 'approval', prompt: 'Ship?', assignees: ['ada'] },
      id: expect.stringMatching(/^apr_/) as string,
      until: expect.stringMatching(/Z$/) as string,
    });
    await cancel(runId);
  });

  it('is nothing once it has ended, and there is none of another id', async () => {
    const { id } = await api.finish({ steps: [scripted('a', {})] });

    expect(await blockersOf(id)).toEqual({
      status: 'completed',
      lastSeq: expect.any(Number) as number,
      run: [],
      items: [],
    });
    expect((await api.get('/runs/run_nobody/blockers')).status).toBe(404);
  });

  it('are told page by page', async () => {
    const { id } = await api.start({
      steps: Array.from({ length: 3 }, (_, n) => ({ id: `s${String(n)}`, kind: 'signal', signal: 'go' })),
    });
    await reasons(id, 's2', 'signal');
    const first = (await api.get<BlockersDto>(`/runs/${id}/blockers?limit=2`)).body;
    const second = await api.get<BlockersDto>(
      `/runs/${id}/blockers?limit=2&cursor=${String(first.nextCursor)}`,
    );

    expect(first.items.map(({ path }) => path)).toEqual(['s0', 's1']);
    expect(second.body.items.map(({ path }) => path)).toEqual(['s2']);
    expect(second.body.nextCursor).toBeUndefined();
    await cancel(id);
  });
});

describe('a run that is queued', () => {
  beforeAll(async () => {
    service = await startApp({ env: { ...NO_LIMITS, AGENT_MAX_CONCURRENT_WORKFLOWS: '2' } });
    api = new Api(service.url);
  });

  afterAll(() => service.close());

  it('waits for runs that come before it, and for places that others have', async () => {
    const step = scripted('a', { delayMs: FOREVER });
    const holders = [await start(step), await start(step)];
    for (const runId of holders) await reasons(runId, 'a', 'attempt');
    const queued = await start(step);
    const last = (await api.start({ steps: [step] }, { priority: 1 })).id;

    const { run, items } = await blockersOf(last);
    expect(run).toEqual([
      { kind: 'queue', ahead: 1 },
      { kind: 'slot', of: 'process', limit: 2, heldBy: holders.map((runId) => ({ runId })) },
    ]);
    expect(items).toEqual([{ stepId: 'a', path: 'a', status: 'ready', blockers: run }]);
    expect((await blockersOf(queued)).run[0]).toEqual({ kind: 'queue', ahead: 0 });
    await cancel(...holders, queued, last);
  });
});
