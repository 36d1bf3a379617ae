/** Several processes of the service on one PostgreSQL and one Redis: what each does, and what one of them does for all. */
import type { FireDto } from '../../src/schedules/dto/fire.dto.js';
import type { ScheduleDto } from '../../src/schedules/dto/schedule.dto.js';
import type { CreatedWebhookDto } from '../../src/webhooks/dto/webhook.dto.js';
import { Api } from '../support/api.js';
import { ServiceProcess } from '../support/service-process.js';
import { describeWithPostgres, describeWithRedis, type RedisPlace } from '../support/services.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

/** Several processes start at once, on two cores that other tests use as well; a dead one is noticed after 5 s. */
jest.setTimeout(300_000);

const DEADLINE_MS = 120_000;
const PACE_MS = 50;

const QUICK = { steps: [{ id: 'only', agent: 'echo', input: { said: 'hi' } }] };
const CHAIN = {
  steps: [
    { id: 'a', agent: 'echo', input: { said: 1 } },
    { id: 'b', agent: 'echo', input: { said: 2 }, dependsOn: ['a'] },
  ],
};
const DUTIES = ['idempotency-keys', 'metrics', 'retention', 'schedules', 'tasks', 'webhooks'];

const started: ServiceProcess[] = [];
const receivers: WebhookReceiver[] = [];

describeWithPostgres('several processes', (databaseUrl) => {
  describeWithRedis('that meet in Redis', (redis) => {
    afterEach(async () => {
      for (const receiver of receivers.splice(0)) receiver.close();
      const all = started.splice(0);
      await Promise.all(all.map((service) => service.kill()));
      expect(all.flatMap((service) => service.troubles())).toEqual([]);
    });

    const start = async (
      name: string,
      env: Readonly<Record<string, string>> = {},
    ): Promise<ServiceProcess> => {
      const service = ServiceProcess.spawn({ name, env: { ...envOf(databaseUrl, redis), ...env } });
      started.push(service);
      await service.listening(DEADLINE_MS);
      return service;
    };
    const startThree = (env: Readonly<Record<string, string>> = {}): Promise<readonly ServiceProcess[]> =>
      Promise.all(['one', 'two', 'three'].map((name) => start(name, env)));

    it('make one first key, though three start at once on an empty record', async () => {
      const services = await startThree({ HOST: '0.0.0.0' });
      const printed = services.flatMap(({ log }) => log.match(/ens_[\w-]{43}/g) ?? []);

      expect(printed).toHaveLength(1);
      const headers = { authorization: `Bearer ${String(printed[0])}` };
      for (const { url } of services) {
        const port = new URL(url).port;
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/health`, { headers });
        await answer.body?.cancel();
        expect(answer.status).toBe(200);
      }
    });

    describe('with an administrator', () => {
      const ADMIN_KEY = 'ens_an-administrators-key-for-tests-0123456789';
      const admin = { authorization: `Bearer ${ADMIN_KEY}` };
      const apiOf = ({ url }: ServiceProcess): Api => new Api(url, admin);
      const env = { ADMIN_KEY };

      /** Which duties a process has, of those that it would take. */
      const dutiesOf = async (service: ServiceProcess): Promise<readonly string[]> => {
        const text = await read(`${service.url}/metrics`, admin);
        return [...text.matchAll(/^ensemble_duty_held\{duty="([\w-]+)"\} 1$/gm)].map(([, name]) =>
          String(name),
        );
      };
      const holderOf = async (
        duty: string,
        services: readonly ServiceProcess[],
      ): Promise<ServiceProcess | undefined> => {
        for (const service of services) if ((await dutiesOf(service)).includes(duty)) return service;
        return undefined;
      };
      /** Resolves when each duty has one holder of these. */
      const untilAllAreHeld = (services: readonly ServiceProcess[]): Promise<void> =>
        until(
          async () => (await Promise.all(services.map(dutiesOf))).flat().toSorted().join() === DUTIES.join(),
          'each duty has one holder',
          DEADLINE_MS,
          PACE_MS,
        );
      const requireHolder = async (
        duty: string,
        services: readonly ServiceProcess[],
      ): Promise<ServiceProcess> => {
        await untilAllAreHeld(services);
        const holder = await holderOf(duty, services);
        if (holder === undefined) throw new Error(`nobody has the duty ${duty}`);
        return holder;
      };

      it('do what their roles say', async () => {
        const [api, worker] = await Promise.all([
          start('api', { ...env, ROLE: 'api' }),
          start('worker', { ...env, ROLE: 'worker' }),
        ]);
        const refused = await fetch(`${worker.url}/api/v1/runs`, { headers: admin });
        const problem: unknown = await refused.json();
        const others = ['/docs', '/openapi.json', '/socket.io/?EIO=4&transport=polling', '/api/v1/health/no'];
        const statuses = await Promise.all(others.map((path) => statusOf(`${worker.url}${path}`, admin)));
        const answered = ['/health/live', '/health/ready', '/metrics', '/api/v1/health'];

        expect(refused.headers.get('content-type')).toContain('application/problem+json');
        expect(problem).toMatchObject({
          status: 404,
          code: 'route.not-found',
          detail: expect.stringContaining('ROLE=worker') as string,
        });
        expect(statuses).toEqual(others.map(() => 404));
        for (const path of answered) expect(await statusOf(`${worker.url}${path}`, admin)).toBe(200);
        for (const [service, role] of [
          [api, 'api'],
          [worker, 'worker'],
        ] as const)
          expect(await read(`${service.url}/metrics`, admin)).toMatch(
            new RegExp(
              `ensemble_process_info\\{role="${role}",version="[^"]+"\\} 1\\n[^]*ensemble_redis_up 1\\n`,
            ),
          );

        const run = await apiOf(api).start(QUICK);
        await until(
          async () =>
            (await apiOf(api).get<{ status: string }>(`/runs/${run.id}`)).body.status === 'completed',
          'the worker has executed the run',
          DEADLINE_MS,
          PACE_MS,
        );
      });

      it('tell of Redis, which takes none of them out of rotation', async () => {
        const service = await start('one', { ...env, REDIS_URL: 'redis://127.0.0.1:1' });
        const health = (await apiOf(service).get<{ indicators: unknown }>('/health')).body;

        expect(await service.isReady()).toBe(true);
        expect(health).toMatchObject({
          status: 'ok',
          indicators: { redis: { status: 'up', reachable: false }, clock: { status: 'up' } },
        });
        expect(await read(`${service.url}/metrics`, admin)).toContain('\nensemble_redis_up 0\n');
      });

      it('hand each duty on when its holder is killed, and when it stops', async () => {
        const services = await startThree(env);
        const first = await requireHolder('schedules', services);
        await first.kill();
        const left = services.filter((service) => service !== first);
        const second = await requireHolder('schedules', left);
        await second.stop();
        const last = left.filter((service) => service !== second);

        expect((await requireHolder('schedules', last)).name).toBe(last[0]?.name);
        expect(second.troubles()).toEqual([]);
      });

      it('fire a schedule once for each instant, whoever made it and whoever is killed', async () => {
        const services = await startThree(env);
        const holder = await requireHolder('schedules', services);
        const others = services.filter((service) => service !== holder);
        const api = apiOf(others[0] ?? holder);
        const run = { definition: QUICK, tags: ['often'] };
        const made = await api.post<ScheduleDto>('/schedules', {
          name: 'often',
          intervalMs: 1_000,
          overlap: 'allow_all',
          run,
        });
        const { id } = made.body;
        const fires = async (): Promise<readonly FireDto[]> =>
          (await api.get<{ items: readonly FireDto[] }>(`/schedules/${id}/fires?limit=200`)).body.items;
        const untilFired = async (count: number): Promise<void> =>
          until(
            async () => (await fires()).length >= count,
            `it has fired ${String(count)} times`,
            DEADLINE_MS,
            PACE_MS,
          );

        expect(made.status).toBe(201);
        await untilFired(3);
        await holder.kill();
        await untilFired((await fires()).length + 3);
        const triggered = await api.post<FireDto>(`/schedules/${id}/trigger`);
        await api.post(`/schedules/${id}/pause`);

        const isSettled = ({ outcome }: FireDto): boolean => outcome === 'started' || outcome === 'missed';
        await until(
          async () => (await fires()).every(isSettled),
          'all fires are settled',
          DEADLINE_MS,
          PACE_MS,
        );

        const all = await fires();
        const instants = all
          .filter(({ cause }) => cause === 'scheduled')
          .map(({ scheduledAt }) => scheduledAt);
        expect(triggered.body).toMatchObject({ outcome: 'started' });
        expect(new Set(instants).size).toBe(instants.length);
        const runs = await api.get<{ items: readonly { id: string }[] }>('/runs?tag=often&limit=200');
        const runIds = all.flatMap(({ runId }) => (runId === undefined ? [] : [runId]));
        expect(runs.body.items.map((item) => item.id).toSorted()).toEqual(runIds.toSorted());
      });

      it('tell a webhook of each event once and in order, whoever has the duty', async () => {
        const receiver = await WebhookReceiver.start();
        receivers.push(receiver);
        const services = await startThree({ ...env, EGRESS_ALLOWED_HOSTS: receiver.host });
        const holder = await requireHolder('webhooks', services);
        const others = services.filter((service) => service !== holder);
        const created = await apiOf(others[0] ?? holder).post<CreatedWebhookDto>('/webhooks', {
          url: receiver.url,
        });
        receiver.secret = created.body.secret;
        const runs = await Promise.all(
          services.map(async (service) => (await apiOf(service).start(CHAIN)).id),
        );
        await untilAllAreTold(receiver, runs);
        await holder.stop();
        const later = await Promise.all(
          others.map(async (service) => (await apiOf(service).start(CHAIN)).id),
        );
        await untilAllAreTold(receiver, later);

        for (const runId of [...runs, ...later]) {
          const seqs = receiver.firstsOf(runId).map(({ event }) => event.seq);
          expect(seqs).toEqual(seqs.map((_, index) => index + 1));
        }
        expect(receiver.received).toHaveLength(new Set(receiver.received.map(({ id }) => id)).size);
        expect(receiver.forged).toEqual([]);
      });
    });
  });
});

function envOf(
  databaseUrl: string,
  { redisUrl, redisKeyPrefix }: RedisPlace,
): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: redisKeyPrefix,
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    RATE_LIMIT_READ: '0',
  };
}

async function untilAllAreTold(receiver: WebhookReceiver, runs: readonly string[]): Promise<void> {
  const isTold = (runId: string): boolean => receiver.firstsOf(runId).at(-1)?.event.type === 'run.completed';
  await until(() => runs.every(isTold), 'the ends of all runs have arrived', DEADLINE_MS, PACE_MS);
}

async function read(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return (await fetch(url, { headers })).text();
}

async function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const answer = await fetch(url, { headers });
  await answer.body?.cancel();
  return answer.status;
}
