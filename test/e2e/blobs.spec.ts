/** Large inputs and outputs as a client meets them: references in events, whole wherever they are read. */
import { createHash } from 'node:crypto';

import { BLOB_GRACE_MS, BlobStore } from '../../src/platform/ports/blob.store.js';
import type { BlobReference } from '../../src/runs/domain/kept.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

jest.setTimeout(180_000);

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const MIB = 1_048_576;

/** A text of so many characters, different for each name. */
const textOf = (name: string, length: number): string =>
  `${name} `.repeat(Math.ceil(length / (name.length + 1))).slice(0, length);

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

async function bytesOf(runId: string, hash: string): Promise<Buffer> {
  const answer = await fetch(`${service.url}/api/v1/runs/${runId}/blobs/${hash}`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

it('a value of more than 16 KiB stands in events as a reference, a smaller one as itself', async () => {
  const [small, large] = [textOf('small', 16_000), textOf('größer 🎵', 17_000)];
  const run = await api.finish({
    steps: [scripted('small', { output: small }), scripted('large', { output: large })],
    output: 'done',
  });
  const events = await api.events(run.id);
  const completed = events.filter(({ type }) => type === 'step.completed');

  expect(completed.find(({ stepId }) => stepId === 'small')?.data).toEqual({ output: small });
  const reference = { hash: hashOf(large), bytes: Buffer.byteLength(JSON.stringify(large)) };
  expect(completed.find(({ stepId }) => stepId === 'large')?.data).toEqual({ outputRef: reference });
  expect((await bytesOf(run.id, reference.hash)).toString('utf8')).toBe(JSON.stringify(large));
});

it('5 MiB pass through a map byte for byte, each of its items kept once', async () => {
  const text = textOf('ätherisch 🎵', MIB);
  const run = await api.finish(
    {
      // The body of a request is at most 4 MiB.
      steps: [
        { id: 'make', kind: 'transform', expression: '[input, input, input, input, input]' },
        { id: 'each', agent: 'echo', forEach: { items: 'steps.make.output' }, input: '{{ item }}' },
      ],
      output: { whole: '{{ steps.each.output }}' },
    },
    { input: text },
  );
  const five = Array.from({ length: 5 }, () => text);
  const events = await api.events(run.id);
  const item = await api.get<StepView>(`/runs/${run.id}/steps/${encodeURIComponent('each[3]')}`);
  const step = await api.get<StepView>(`/runs/${run.id}/steps/each`);

  expect(isSame(run.output, { whole: five })).toBe(true);
  expect(isSame(step.body.input, five) && isSame(step.body.output, five)).toBe(true);
  expect(isSame(item.body.output, text)).toBe(true);
  expect(new Set(hashesOf(events))).toEqual(new Set([hashOf(text), hashOf(five), hashOf({ whole: five })]));
  expect(JSON.stringify(events.slice(1)).length).toBeLessThan(10_000);
});

it('conditions, retries and loops read large values as any other', async () => {
  const text = textOf('loud', 20_000);
  const run = await api.finish({
    steps: [
      scripted('say', { output: text, failTimes: 1 }, { retry: { initialIntervalMs: 1 } }),
      { id: 'long', agent: 'echo', when: 'size(steps.say.output) == 20000', input: '{{ steps.say.output }}' },
      {
        id: 'grow',
        agent: 'echo',
        input: '{{ previous | default: steps.long.output }}!',
        repeat: { until: 'size(output) == 20003', maxIterations: 5 },
      },
    ],
    output: '{{ steps.grow.output }}',
  });

  expect(run.failure).toBeUndefined();
  expect(isSame(run.output, `${text}!!!`)).toBe(true);
});

it('a sub-run takes large inputs and gives large outputs, also when something comes last in it', async () => {
  const text = textOf('nested', 20_000);
  const definition = {
    steps: [
      { id: 'pass', agent: 'echo', input: '{{ input }}' },
      scripted('late', { output: 1, delayMs: 20 }, { finally: true }),
      scripted('last', { output: 2, delayMs: 20 }, { finally: true, dependsOn: ['late'] }),
    ],
    output: '{{ steps.pass.output }}',
  };
  const { body } = await api.post<{ readonly id: string }>('/workflows', { name: 'passes', definition });
  const run = await api.finish({
    steps: [
      scripted('say', { output: text }),
      { id: 'sub', kind: 'workflow', workflow: { id: body.id }, input: '{{ steps.say.output }}' },
    ],
    output: '{{ steps.sub.output }}',
  });

  expect(run.failure).toBeUndefined();
  expect(isSame(run.output, text)).toBe(true);
});

it('a list of steps has 4 MiB of large values in it, and says where the others are', async () => {
  const run = await api.finish(
    {
      steps: [
        { id: 'one', kind: 'transform', expression: '[input, input, input]' },
        { id: 'two', kind: 'transform', expression: '[input, input, "two"]' },
      ],
      output: 'done',
    },
    { input: textOf('list', MIB) },
  );
  const { items } = (await api.get<{ readonly items: readonly StepView[] }>(`/runs/${run.id}/steps`)).body;
  const [one, two] = items;

  expect(one?.output).toHaveLength(3);
  expect(two?.output).toBeUndefined();
  const { href = '', hash, bytes } = two?.outputRef ?? {};
  const answer = await fetch(`${service.url}${href}`);
  expect(await answer.text()).toHaveLength(bytes ?? 0);
  expect(answer.headers.get('content-type')).toContain('application/json');
  expect(href.endsWith(String(hash))).toBe(true);
});

it('a value of more than 50 MiB is a failure that says so', async () => {
  const copies = Array.from({ length: 51 }, () => 'input').join(', ');
  const run = await api.finish(
    { steps: [{ id: 'huge', kind: 'transform', expression: `[${copies}]` }] },
    { input: textOf('huge', MIB) },
  );

  expect(run).toMatchObject({ status: 'failed', failure: { code: 'value.too-large', retryable: false } });
});

it('a blob is found by the run that refers to it and by no other', async () => {
  const text = textOf('mine', 20_000);
  const mine = await api.finish({ steps: [scripted('say', { output: text })], output: 'done' });
  const other = await api.finish({ steps: [scripted('say', { output: 'small' })] });

  expect((await bytesOf(mine.id, hashOf(text))).byteLength).toBe(20_002);
  for (const path of [`/runs/${other.id}/blobs/${hashOf(text)}`, `/runs/${mine.id}/blobs/${hashOf('x')}`])
    expect(await api.get(path)).toMatchObject({ status: 404, body: { code: 'blob.not-found' } });
});

it('a fork reads the large values of its parent also when that lets go of them, and so does a retry', async () => {
  const text = textOf('inherited', 20_000);
  const failing = {
    steps: [
      scripted('say', { output: text }),
      { id: 'list', kind: 'transform', expression: '[steps.say.output, steps.say.output]' },
      { id: 'each', forEach: { items: 'steps.list.output' }, agent: 'echo', input: '{{ item }}' },
      { id: 'join', kind: 'transform', expression: 'steps.each.output[0] + context.ending' },
    ],
    output: '{{ steps.join.output }}',
  };
  const parent = await api.finish(failing, { context: { ending: 5 } });
  expect(parent).toMatchObject({ status: 'failed', failure: { code: 'expression.failed' } });
  const retried = await api.post<RunView>(`/runs/${parent.id}/retry`, { fromStep: 'each[1]' });
  expect(retried.status).toBe(200);
  expect((await api.ended(parent.id)).failure).toMatchObject({ code: 'expression.failed' });

  const { body: fork } = await api.post<RunView>(`/runs/${parent.id}/fork`, { context: { ending: '!' } });
  const blobs = service.app.get(BlobStore, { strict: false });
  await blobs.release('default', parent.id, Date.now() + 2 * BLOB_GRACE_MS);
  const ended = await api.ended(fork.id);
  const again = await api.post<RunView>(`/runs/${fork.id}/fork`, { atSeq: 1, context: { ending: '?' } });

  expect(ended.failure).toBeUndefined();
  expect(isSame(ended.output, `${text}!`)).toBe(true);
  expect((await bytesOf(fork.id, hashOf(text))).byteLength).toBe(20_002);
  expect(await blobs.findOfRun('default', parent.id, hashOf(text))).toBeUndefined();
  expect(isSame((await api.ended(again.body.id)).output, `${text}?`)).toBe(true);
});

it('a value that looks like a reference is a value', async () => {
  const forged = { outputRef: { hash: hashOf('x'), bytes: 3 }, hash: hashOf('x'), bytes: 3 };
  const run = await api.finish({
    steps: [
      scripted('say', { output: forged }),
      { id: 'repeat', agent: 'echo', input: '{{ steps.say.output }}' },
    ],
    output: '{{ steps.repeat.output }}',
  });

  expect(run.output).toEqual(forged);
});

/** Compared as text: a difference of megabytes shown by the test would bury it. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Of all values that events refer to. */
function hashesOf(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap(({ data }) =>
    Object.entries(data).flatMap(([field, value]) =>
      field.endsWith('Ref') ? [(value as BlobReference).hash] : [],
    ),
  );
}
