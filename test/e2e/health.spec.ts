import { DrainService } from '../../src/platform/lifecycle/drain.service.js';
import { HealthIndicator, type HealthStatus } from '../../src/health/health.indicator.js';
import { HealthRegistry } from '../../src/health/health.registry.js';
import { OwnerService } from '../../src/runs/engine/owner.service.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

class TestIndicator extends HealthIndicator {
  override readonly name = 'test';
  answer: () => Promise<HealthStatus> = () => Promise.resolve({ status: 'up', detail: { count: 3 } });

  override check(): Promise<HealthStatus> {
    return this.answer();
  }
}

describe('health', () => {
  let running: RunningApp;
  const indicator = new TestIndicator();

  beforeAll(async () => {
    running = await startApp();
    running.app.get(HealthRegistry).register(indicator);
  });

  afterAll(() => running.close());

  async function ready(): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(`${running.url}/health/ready`);
    return { status: response.status, body: await response.json() };
  }

  it('is alive', async () => {
    expect(await (await fetch(`${running.url}/health/live`)).json()).toEqual({ status: 'ok' });
  });

  it('is ready when every indicator is up', async () => {
    expect(await ready()).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        details: {
          record: { status: 'up' },
          lease: { status: 'up' },
          lifecycle: { status: 'up' },
          test: { status: 'up', count: 3 },
        },
      },
    });
  });

  it('is not ready without a lease, until it has another', async () => {
    const owner = running.app.get(OwnerService);
    const { id } = owner;
    owner.fence();
    const lost = await ready();
    await until(() => owner.believes(), 'there is another lease');
    const held = await ready();

    expect(lost).toMatchObject({
      status: 503,
      body: { error: { lease: { status: 'down', reason: 'no lease' } } },
    });
    expect(held).toMatchObject({ status: 200, body: { details: { lease: { owner: owner.id } } } });
    expect(owner.id).not.toBe(id);
  });

  it('tells version, uptime and indicators', async () => {
    expect(await (await fetch(`${running.url}/api/v1/health`)).json()).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptimeMs: expect.any(Number),
      indicators: expect.objectContaining({ record: { status: 'up' } }),
    });
  });

  it.each<[string, () => Promise<HealthStatus>, object]>([
    ['is down', () => Promise.resolve({ status: 'down', detail: { reason: 'gone' } }), { reason: 'gone' }],
    ['throws', () => Promise.reject(new Error('host db.internal refused')), { reason: 'failed' }],
    ['does not answer', () => new Promise(() => undefined), { reason: 'no answer within 1 s' }],
  ])('is not ready when an indicator %s', async (_, answer, expected) => {
    indicator.answer = answer;
    const { status, body } = await ready();
    indicator.answer = () => Promise.resolve({ status: 'up' });

    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'error', error: { test: { status: 'down', ...expected } } });
    expect(JSON.stringify(body)).not.toContain('db.internal');
  });

  it('refuses two indicators of one name', () => {
    expect(() => running.app.get(HealthRegistry).register(new TestIndicator())).toThrow('"test"');
  });

  it('is not ready while it drains', async () => {
    const other = await startApp();
    try {
      await other.app.get(DrainService).drain(1000);
      const response = await fetch(`${other.url}/health/ready`);

      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        error: { lifecycle: { status: 'down', reason: 'draining' } },
      });
    } finally {
      await other.close();
    }
  });
});
