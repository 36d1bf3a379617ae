/** Agents of kind `http` and `code` in runs: with secrets, retries and a recorded outcome. */
import { Module } from '@nestjs/common';

import { CodeProvider } from '../../src/agents/providers/code/code.provider.js';
import { SandboxPool } from '../../src/agents/providers/code/sandbox-pool.js';
import { HttpProvider } from '../../src/agents/providers/http/http.provider.js';
import { Provider } from '../../src/agents/provider.decorator.js';
import { workerEntry } from '../../src/platform/lifecycle/worker-entry.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { answerJson, HttpStub } from '../support/http-stub.js';

const CANARY = 'canary-91be';
const SOURCE = `export default async ({ readings }) => {
  console.log('readings', readings.length);
  return { warmest: Math.max(...readings.map((one) => one.degrees)) };
};`;

const stub = new HttpStub();
let service: RunningApp;
let api: Api;

beforeAll(async () => {
  await stub.start();
  const weather = {
    method: 'GET',
    url: stub.url('/{{ input.city }}'),
    auth: { type: 'bearer', secret: 'weather-api' },
  };

  @Provider({
    kind: 'test-http',
    description: '',
    agents: [{ key: 'weather', description: '', settings: weather }],
  })
  class WeatherProvider extends HttpProvider {}

  @Provider({
    kind: 'test-code',
    description: '',
    agents: [{ key: 'warmest', description: '', settings: { source: SOURCE } }],
  })
  class WarmestProvider extends CodeProvider {}

  const entry = workerEntry('agents/providers/code/sandbox/code.worker.js');
  @Module({
    providers: [
      WeatherProvider,
      WarmestProvider,
      { provide: SandboxPool, useFactory: () => new SandboxPool({ entry, maxThreads: 1 }) },
    ],
  })
  class TestAgents {}

  service = await startApp({ env: { EGRESS_ALLOWED_HOSTS: '127.0.0.2' }, imports: [TestAgents] });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
  await stub.stop();
});

beforeEach(() => {
  stub.reset();
});

const definition = {
  steps: [
    {
      id: 'ask',
      agent: 'weather',
      input: { city: '{{ input.city }}' },
      retry: { maxAttempts: 3, initialIntervalMs: 1, jitter: 'none' },
    },
    { id: 'pick', agent: 'warmest', input: { readings: '{{ steps.ask.output.readings }}' } },
  ],
  output: '{{ steps.pick.output }}',
};

it('work together, under one stable key however often they are tried, and tell no secret', async () => {
  await api.put('/secrets/weather-api', { value: CANARY });
  const answers = [
    answerJson(`{"error":"not with ${CANARY}"}`, 503),
    answerJson(`{"readings":[{"degrees":3},{"degrees":7}],"token":"${CANARY}"}`),
  ];
  stub.answer = (request, response, raw) => answers.shift()?.(request, response, raw);

  const run = await api.finish(definition, { input: { city: 'São Paulo' } });
  const events = await api.events(run.id);

  expect(run).toMatchObject({ status: 'completed', output: { warmest: 7 } });
  expect(stub.received.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ['/S%C3%A3o%20Paulo', `Bearer ${CANARY}`],
    ['/S%C3%A3o%20Paulo', `Bearer ${CANARY}`],
  ]);
  expect(new Set(stub.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(events.map(({ type }) => type)).toContain('step.retrying');
  expect(JSON.stringify([run, events])).toContain('[redacted]');
  expect(JSON.stringify([run, events])).not.toContain(CANARY);
});

it('fail by name when a secret is gone', async () => {
  await api.put('/secrets/weather-api', { value: CANARY });
  await api.delete('/secrets/weather-api');

  const run = await api.finish(definition, { input: { city: 'Oslo' } });

  expect(run).toMatchObject({ status: 'failed' });
  expect(JSON.stringify(run)).toContain('There is no secret \\"weather-api\\".');
  expect(stub.received).toEqual([]);
});
