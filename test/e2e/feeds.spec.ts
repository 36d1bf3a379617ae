/** Two processes on one record: what one of them executes is followed in the other, whatever becomes of Redis. */
import type { RunEvent } from '../../docs/examples/client/follow-run.js';
import { PostgresDatabase } from '../../src/storage/sql/postgres-database.js';
import { Api, eventsOf } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

/** Steps that each wait for a signal of their own. */
const DEFINITION = {
  steps: ['first', 'second', 'third', 'fourth'].map((name, index, names) => ({
    id: name,
    kind: 'signal',
    signal: name,
    ...(index === 0 ? {} : { dependsOn: [names[index - 1]] }),
  })),
};

/** What a reader has got so far. */
class Reader {
  readonly events: RunEvent[] = [];
  private readonly leave = new AbortController();
  readonly ended: Promise<void>;

  constructor(url: string, runId: string) {
    this.ended = this.read(`${url}/api/v1/runs/${runId}/events`);
  }

  close(): void {
    this.leave.abort();
  }

  private async read(path: string): Promise<void> {
    const headers = { accept: 'text/event-stream' };
    const stream = await fetch(path, { headers, signal: this.leave.signal });
    for await (const event of eventsOf(stream)) this.events.push(event);
  }
}

function hasCompleted(
  events: readonly { readonly type: string; readonly stepId?: string }[],
  step: string,
): boolean {
  return events.some(({ type, stepId }) => type === 'step.completed' && stepId === step);
}

describeWithOwnRedis('a run that another process executes', () => {
  describeWithPostgres('on one PostgreSQL', (databaseUrl) => {
    let server: RedisServer;
    let executing: RunningApp;
    let reading: RunningApp;

    beforeAll(async () => {
      // Both are active: what they do besides has no part in this.
      jest.spyOn(PostgresDatabase.prototype, 'acquireStandbyLock').mockResolvedValue();
      server = await RedisServer.start();
      const env = { DATABASE_URL: databaseUrl, REDIS_URL: server.url };
      executing = await startApp({ env });
      reading = await startApp({ env });
    });

    afterAll(async () => {
      jest.restoreAllMocks();
      await reading.close();
      await executing.close();
      await server.stop();
    });

    it('is seen as 1..n in a stream and a socket, while Redis is killed, stopped and comes back', async () => {
      const api = new Api(executing.url);
      const { id: runId } = await api.start(DEFINITION);
      const stream = new Reader(reading.url, runId);
      const socket = await SocketClient.open(reading.url);
      await socket.done('run.subscribe', { runId, afterSeq: 0 });
      const step = async (name: string): Promise<void> => {
        await api.post(`/runs/${runId}/signals/${name}`, {});
        const both = (): boolean =>
          hasCompleted(stream.events, name) && hasCompleted(socket.events(runId), name);
        await until(both, `${name} is seen by both`, 30_000);
      };

      await step('first');
      await server.kill();
      await step('second');
      await server.restart();
      server.freeze();
      await step('third');
      server.thaw();
      await step('fourth');
      await stream.ended;
      await socket.untilEvent(runId, 'run.completed');

      const stored = await api.events(runId);
      expect(stream.events).toEqual(stored);
      expect(socket.events(runId)).toEqual(stored);
      expect(stored.map(({ seq }) => seq)).toEqual(upTo(stored.length));
      stream.close();
      socket.close();
    });

    it('has ended for who waits for it elsewhere', async () => {
      const { id: runId } = await new Api(executing.url).start({
        steps: [{ id: 'a', agent: 'echo', input: 1 }],
      });

      expect(await new Api(reading.url).ended(runId)).toMatchObject({ status: 'completed' });
    });
  });
});
