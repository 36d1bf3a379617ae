/** Two processes on one PostgreSQL and one Redis: what one of them knows of what the other has done. */
import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { aTemplate, rendered } from '../support/templates.js';
import { until } from '../support/until.js';

const DEADLINE_MS = 30_000;
const RATE = 20;

jest.setTimeout(120_000);

const isLong = {
  steps: [
    {
      id: 'many',
      kind: 'transform',
      expression: 'index',
      forEach: { items: Array.from({ length: 300 }, () => 0) },
    },
  ],
};

describeWithPostgres('hot state', (databaseUrl) => {
  describeWithOwnRedis('of two processes', () => {
    let server: RedisServer;
    let processes: readonly RunningApp[];
    let a: Api;
    let b: Api;

    beforeAll(async () => {
      server = await RedisServer.start({ appendOnly: true });
      const env = {
        DATABASE_URL: databaseUrl,
        REDIS_URL: server.url,
        RATE_LIMIT_WRITE: '0',
        RATE_LIMIT_START: '0',
        RATE_LIMIT_RENDER: '0',
        RATE_LIMIT_EXECUTE: String(RATE),
      };
      const first = await startApp({ env });
      const second = await startApp({ env });
      processes = [first, second];
      [a, b] = [new Api(first.url), new Api(second.url)];
    });

    afterAll(async () => {
      for (const { close } of processes) await close();
      await server.stop();
    });

    /** What a run on a process is given by a template. */
    const promptOf = async (api: Api, name: string): Promise<unknown> => {
      const { output } = await api.finish({ steps: [{ id: 's', agent: 'echo', template: { name } }] });
      return (output as { readonly s: { readonly prompt: string } }).s.prompt;
    };

    /** Both processes have the first version by heart, the second exists. */
    const aKnownTemplate = async (): Promise<{ readonly id: string; readonly name: string }> => {
      const { id, name } = await aTemplate(a, 'one');
      await a.put(`/templates/${id}/labels/production`, { version: 1 });
      await a.put(`/templates/${id}`, { content: 'two' });
      for (const api of [a, b, b, a]) expect(await rendered(api, name)).toMatchObject({ text: 'one' });
      return { id, name };
    };

    const moveLabel = async (id: string): Promise<void> => {
      const { status } = await a.put(`/templates/${id}/labels/production`, { version: 2 });
      expect(status).toBe(200);
    };

    const untilMoved = (name: string): Promise<void> =>
      until(async () => (await rendered(b, name)).text === 'two', 'the other process knows it', DEADLINE_MS);

    it('a label that one moves is moved for the other, and for the runs that it starts', async () => {
      const { id, name } = await aKnownTemplate();

      await moveLabel(id);

      expect(await rendered(a, name)).toMatchObject({ text: 'two' });
      await untilMoved(name);
      expect(await promptOf(b, name)).toBe('two');
      expect(await promptOf(a, name)).toBe('two');
    });

    it('a long run that one has executed is read by the other as by itself, and its fold is in Redis for its time', async () => {
      const { id } = await a.finish(isLong);
      const key = `ensemble:hot:{default:run-view:${id}}`;
      await until(async () => (await server.ask('EXISTS', key)) === 1, 'its fold is in Redis', DEADLINE_MS);

      const leftMs = await server.ask('PTTL', key);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(3_600_000);
      for (const path of [`/runs/${id}`, `/runs/${id}/steps`, `/runs/${id}/context`])
        expect((await b.get<RunView>(path)).body).toEqual((await a.get<RunView>(path)).body);
    });

    it('a rate holds for both together', async () => {
      const statuses: number[] = [];
      for (let at = 0; at < 2 * RATE; at += 1) {
        const { status, headers } = await (at % 2 === 0 ? a : b).post('/agents/echo/execute', { input: at });
        statuses.push(status);
        if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }

      expect(statuses.slice(0, RATE)).not.toContain(429);
      expect(new Set(statuses.slice(RATE))).toEqual(new Set([429]));
    });

    it('all goes on while Redis is away, and what was changed meanwhile is changed when it is back', async () => {
      const { id, name } = await aKnownTemplate();
      const other = await aKnownTemplate();
      await server.kill();

      for (const api of [a, b]) {
        expect(await promptOf(api, other.name)).toBe('one');
        expect((await api.post('/agents/echo/execute', { input: 1 })).status).toBe(429);
      }
      await moveLabel(id);
      expect(await rendered(a, name)).toMatchObject({ text: 'two' });
      await untilMoved(name);

      await server.restart();
      for (const api of [a, b]) expect(await rendered(api, name)).toMatchObject({ text: 'two' });
      await moveLabel(other.id);
      await untilMoved(other.name);
      expect(await promptOf(b, other.name)).toBe('two');
    });
  });
});
