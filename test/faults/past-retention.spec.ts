/**
 * F9: clients that come back with a place in a run which retention has removed are told so, over every way, also by a
 * process that was killed meanwhile; then they go on with what is there.
 */
import { Api } from '../support/api.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { SocketClient } from '../support/socket.js';
import { until } from '../support/until.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { CUTS, type Line, type LineOptions } from './line.js';
import { query } from './record-queries.js';
import type { FaultScene } from './scene.js';
import { startOf } from './shapes.js';
import { SocketLine } from './socket-line.js';
import { StreamLine } from './stream-line.js';
import { expectAllKept, withScene } from './with-scene.js';

const DEADLINE_MS = 120_000;
const PACE_MS = 50;
/** More than RUN_RETENTION_DAYS. */
const AGED_DAYS = 31;
const DAY_MS = 86_400_000;
/** Where clients are cut off, in a run of more than thirty events. */
const PLACE = 7;

jest.setTimeout(600_000);

const { definition } = startOf('long', 0);

describeWithOwnRedis('clients that come back after retention', () => {
  describeWithPostgres('to one of several processes', (databaseUrl) => {
    it('F9: are told of a reset, before and after a kill, and go on with what is there', async () => {
      const options = { name: 'F9-retention', databaseUrl, roles: ['api', 'worker'] as const };
      await withScene(options, async (scene) => {
        const { url } = scene.cluster;
        const { id: gone, namespace } = await scene.api.start(definition, { tags: ['gone'] });
        const kept = await scene.startRun(definition);
        const opens = [
          (line: LineOptions) => new SocketLine(line),
          (line: LineOptions) => new StreamLine(line),
        ];
        const seen = await Promise.all(opens.map((open, n) => cutAt(open, { url, runId: gone, how: n })));
        for (const runId of [gone, kept]) await scene.api.ended(runId);
        const stored = await scene.api.events(gone);
        for (const events of seen) expect(events).toEqual(stored.slice(0, events.length));
        await retain(scene, gone);

        const reset = {
          ...{ runId: gone, seq: stored.length, reset: true },
          snapshot: {
            ...{ id: gone, namespace, status: 'completed', lastSeq: stored.length, tags: ['gone'] },
            purgedAt: expect.stringMatching(/Z$/) as string,
          },
        };
        await expectReset(url, { gone, kept }, reset);
        await scene.cluster.front.kill();
        await scene.cluster.front.start();
        await expectReset(url, { gone, kept }, reset);
        expect((await scene.cluster.front.stop()).code).toBe(0);
        await scene.cluster.front.start();
        await expectReset(url, { gone, kept }, reset);
        await expectAllKept(scene); // nothing is left of the run that is gone
      });
    });
  });
});

interface Followed {
  readonly url: string;
  readonly runId: string;
  /** Which of the ways to be cut off. */
  readonly how: number;
}

/** What a client receives of a run until it is cut off in the middle. */
async function cutAt(
  open: (options: LineOptions) => Line,
  { url, runId, how }: Followed,
): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  const line = open({
    ...{ url, runId, afterSeq: 0 },
    onEvent: (event) => {
      events.push(event);
      if (events.length === PLACE) line.cut(CUTS[CUTS.length - 1 - how] ?? 'reset');
    },
    onSurprise: (what) => {
      throw new Error(what);
    },
  });
  await line.gone;
  expect(events).toHaveLength(PLACE);
  return events;
}

/** Lets a run have ended long ago, and retention look for such: it does when another run is deleted. */
async function retain({ api, databaseUrl }: FaultScene, runId: string): Promise<void> {
  const other = await api.start(definition);
  await api.ended(other.id);
  await query(databaseUrl, 'update runs set ended_at = ended_at - $1 where id = $2', [
    AGED_DAYS * DAY_MS,
    runId,
  ]);
  const deleted = async (): Promise<boolean> => (await api.delete(`/runs/${other.id}`)).status === 204;
  await until(deleted, 'all who follow the log have read it', DEADLINE_MS, PACE_MS);
  const isGone = async (): Promise<boolean> =>
    (await query(databaseUrl, 'select 1 from runs where id = $1', [runId])).length === 0;
  await until(isGone, 'retention has removed the run', DEADLINE_MS, PACE_MS);
  expect(await query(databaseUrl, 'select 1 from run_appends where run_id = $1', [runId])).toEqual([]);
}

/** Comes back with a place in a run that is gone, by each way; then follows one that is there, over the same socket. */
async function expectReset(
  url: string,
  { gone, kept }: { readonly gone: string; readonly kept: string },
  reset: object,
): Promise<void> {
  const api = new Api(url);
  expect((await api.get(`/runs/${gone}/events?afterSeq=${PLACE}`)).body).toMatchObject({
    ...{ items: [], more: false, reset },
  });
  expect((await api.get(`/runs/${gone}`)).status).toBe(404);
  const frames = await framesAfter(`${url}/api/v1/runs/${gone}/events`, PLACE);
  expect(frames).toHaveLength(1);
  const [, sent = ''] = /^event: reset\ndata: (.*)$/.exec(frames[0] ?? '') ?? [];
  expect(JSON.parse(sent)).toMatchObject(reset);

  const client = await SocketClient.open(url);
  expect(await client.done('run.subscribe', { runId: gone, afterSeq: PLACE })).toMatchObject(reset);
  await client.done('run.subscribe', { runId: kept, afterSeq: 0 });
  await client.untilEvent(kept, 'run.completed', DEADLINE_MS);
  expect(client.events(kept)).toEqual(await api.events(kept));
  expect([client.events(gone), client.problems()]).toEqual([[], []]);
  client.close();
}

/** What a stream says until it ends, without comments. */
async function framesAfter(address: string, lastEventId: number): Promise<readonly string[]> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(lastEventId) };
  const text = await (await fetch(address, { headers })).text();
  return text.split('\n\n').filter((frame) => frame !== '' && !frame.startsWith(':'));
}
