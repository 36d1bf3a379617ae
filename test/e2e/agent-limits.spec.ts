/** Limits of agents over HTTP, and secrets in their settings: by the provider's own count and a planted canary. */
import { setTimeout as delay } from 'node:timers/promises';

import { Injectable, Module } from '@nestjs/common';

import {
  AgentProvider,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
} from '../../src/agents/agent.provider.js';
import { AgentService } from '../../src/agents/agent.service.js';
import type { AgentDto } from '../../src/agents/dto/agent.dto.js';
import { Provider } from '../../src/agents/provider.decorator.js';
import { failureOf } from '../../src/kernel/failure.js';
import type { JsonObject } from '../../src/kernel/json.js';
import { httpErrors } from '../../src/platform/http/http.errors.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { refusalIn } from '../support/templates.js';

const CANARY = 'canary-7e1f0b6d';

/** Counts how many of its calls are under way; a careless one says its settings wherever it can. */
@Injectable()
@Provider({ kind: 'counted', description: 'Counts its calls.' })
class CountedProvider extends AgentProvider {
  present = 0;
  most = 0;
  total = 0;

  override check(): readonly [] {
    return [];
  }

  override settingsSchema(): JsonObject {
    return { type: 'object' };
  }

  override async *invoke({ input, settings }: AgentRequest): AsyncGenerator<AgentPart, AgentOutcome, void> {
    this.total += 1;
    this.present += 1;
    this.most = Math.max(this.most, this.present);
    try {
      await delay(2);
      const said = JSON.stringify(settings);
      if (input === 'throw') throw new Error(`no luck with ${said}`);
      yield { type: 'delta', text: said };
      if (input !== 'fail') return { status: 'completed', output: { settings } };
      const failure = failureOf(httpErrors['internal.error'], `refused ${said}`, { details: { settings } });
      return { status: 'failed', failure };
    } finally {
      this.present -= 1;
    }
  }

  override health(settings: JsonObject): Promise<{ status: 'degraded'; reason: string }> {
    return Promise.resolve({ status: 'degraded', reason: JSON.stringify(settings) });
  }
}

@Module({ providers: [CountedProvider] })
class CountedModule {}

let service: RunningApp;
let api: Api;
let provider: CountedProvider;
let logged = '';

beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    logged += String(text);
    return true;
  });
  service = await startApp({
    imports: [CountedModule],
    env: { RATE_LIMIT_EXECUTE: '0', LOG_LEVEL: 'trace' },
  });
  api = new Api(service.url);
  provider = service.app.get(CountedProvider);
});

afterAll(async () => {
  await service.close();
  jest.restoreAllMocks();
});

describe('an agent with three places', () => {
  it('never carries out more of 200 calls at the same time, and all of them', async () => {
    await api.post('/agents', { key: 'three', kind: 'counted', limits: { maxConcurrency: 3 } });

    const answers = await Promise.all(Array.from({ length: 200 }, () => api.post('/agents/three/execute')));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect({ most: provider.most, total: provider.total, present: provider.present }).toEqual({
      most: 3,
      total: 200,
      present: 0,
    });
  });

  it('shares them among runs and calls', async () => {
    const before = provider.total;
    provider.most = 0;
    const steps = Array.from({ length: 20 }, (_, n) => ({ id: `s${String(n)}`, agent: 'three' }));

    const [run] = await Promise.all([
      api.finish({ steps, maxParallelSteps: 20 }),
      ...Array.from({ length: 20 }, () => api.post('/agents/three/execute')),
    ]);

    expect(run.status).toBe('completed');
    expect(provider.total).toBe(before + 40);
    expect(provider.most).toBeLessThanOrEqual(3);
  });
});

it('refuses the calls of an agent that was taken offline, until it is taken back', async () => {
  const { body } = await api.post<AgentDto>('/agents', { key: 'resting', kind: 'counted' });
  const { status, body: health } = await api.put(`/agents/${body.id}/status`, { status: 'offline' });

  expect([status, health]).toMatchObject([200, { status: 'offline' }]);
  expect(refusalIn(await api.post('/agents/resting/execute'))).toEqual([503, 'agent.offline', undefined]);

  await api.put('/agents/resting/status', { status: 'available' });
  expect((await api.post('/agents/resting/execute')).status).toBe(200);
});

it('shows a secret in the settings of an agent nowhere', async () => {
  const settings = {
    apiKey: CANARY,
    headers: { 'X-Auth': `${CANARY}-b` },
    url: `https://user:${CANARY}-c@host/`,
    model: 'plain',
  };
  const created = await api.post<AgentDto>('/agents', { key: 'careless', kind: 'counted', settings });
  const { id } = created.body;
  const run = async (input: string): Promise<unknown> => {
    const { id: runId } = await api.finish({
      steps: [{ id: 'a', agent: 'careless', input, retry: { maxAttempts: 1 } }],
    });
    return [await api.events(runId), (await api.get(`/runs/${runId}`)).body];
  };
  const stream = async (input: string): Promise<string> => {
    const answer = await fetch(`${service.url}/api/v1/agents/careless/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ input }),
    });
    return answer.text();
  };

  const said = JSON.stringify([
    created.body,
    (await api.get(`/agents/${id}`)).body,
    (await api.get('/agents?search=careless')).body,
    (await api.get(`/agents/${id}/health`)).body,
    (await api.put(`/agents/${id}`, { settings: { ...created.body.settings, model: 'other' } })).body,
    (await api.put(`/agents/${id}`, { settings: { ...created.body.settings, more: '[hidden]' } })).body,
    ...(await Promise.all(['go', 'fail', 'throw'].flatMap((input) => [run(input), stream(input)]))),
    (await api.post('/agents/careless/execute', { input: 'throw' })).body,
  ]);

  expect(said).toContain('[hidden]');
  expect(said).not.toContain(CANARY);
  expect(logged).toContain('careless');
  expect(logged).not.toContain(CANARY);
});

it('keeps the secrets that come back hidden in an update', async () => {
  const settings = { apiKey: CANARY, model: 'a' };
  const { body } = await api.post<AgentDto>('/agents', { key: 'kept', kind: 'counted', settings });
  expect(body.settings).toEqual({ apiKey: '[hidden]', model: 'a' });
  await api.put(`/agents/${body.id}`, { settings: { ...body.settings, model: 'b' } });

  const { agent } = await service.app
    .get(AgentService)
    .callable('default', { reference: 'kept', version: 2 });

  expect(agent.settings).toEqual({ apiKey: CANARY, model: 'b' });
});
