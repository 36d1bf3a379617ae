/** A process that is killed at any moment loses no delivery; what comes twice has the same id. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { CreatedWebhookDto } from '../../src/webhooks/dto/webhook.dto.js';
import { Api } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const KILLS = 5;
const RUNS_EACH = 3;
const CHAIN = {
  steps: [
    { id: 'a', agent: 'echo', input: { said: 1 } },
    { id: 'b', agent: 'echo', input: { said: 2 }, dependsOn: ['a'] },
  ],
};

/** Each restart takes a second or two, and a claim of a dead process is let go of after 20 s. */
jest.setTimeout(240_000);

let folder: string;
let receiver: WebhookReceiver;
let service: ServiceProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-crash-'));
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await service.kill();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

async function restart(): Promise<Api> {
  service = await startCounting(folder, { EGRESS_ALLOWED_HOSTS: receiver.host });
  return new Api(service.url);
}

it(`delivers every event through ${String(KILLS)} kills`, async () => {
  const seed = Date.now() % 100_000;
  let random = seed;
  const next = (below: number): number => (random = (random * 16_807) % 2_147_483_647) % below;
  let api = await restart();
  const { body: webhook } = await api.post<CreatedWebhookDto>('/webhooks', { url: receiver.url });
  receiver.secret = webhook.secret;

  const runs: string[] = [];
  for (let kills = 0; kills < KILLS; kills += 1) {
    for (let count = 0; count < RUNS_EACH; count += 1) runs.push((await api.start(CHAIN)).id);
    const seen = receiver.received.length;
    await until(() => receiver.received.length > seen, 'something has arrived', 90_000);
    await delay(next(60)); // a moment of no particular meaning
    await service.kill();
    api = await restart();
  }

  for (const runId of runs) {
    expect((await api.ended(runId)).status).toBe('completed');
    const log = await api.events(runId);
    await until(() => receiver.firstsOf(runId).length >= log.length, `all of ${runId} has arrived`, 120_000);
    expect({ seed, events: receiver.firstsOf(runId).map(({ event }) => event) }).toEqual({
      seed,
      events: log,
    });
  }
  const bodies = new Map(receiver.received.map(({ id, body }) => [id, body]));
  expect(receiver.received.every(({ id, body }) => bodies.get(id) === body)).toBe(true);
  expect(new Set(bodies.values()).size).toBe(bodies.size);
  expect(receiver.forged).toEqual([]);
});
