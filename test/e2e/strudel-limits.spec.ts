/** The evaluator's process: what stops it, what it survives, in which order it works. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { StrudelEvaluator, type Evaluation } from '../../src/agents/providers/strudel/strudel-evaluator.js';
import { StrudelProvider } from '../../src/agents/providers/strudel/strudel.provider.js';
import { EVALUATOR_FILES, invokeProvider } from '../support/strudel.js';

const ENDLESS = 'const f = () => { for (;;); }\nf()';
const GOOD = { code: 's("bd(3,8)")', cycles: 1, timeLimitMs: 30_000 };

const evaluator = new StrudelEvaluator(EVALUATOR_FILES);

afterAll(() => evaluator.stop());

function evaluate(
  job: Partial<typeof GOOD> = {},
  signal = new AbortController().signal,
): Promise<Evaluation> {
  return evaluator.evaluate({ ...GOOD, ...job }, signal);
}

function countOf(evaluation: Evaluation): number {
  if (evaluation.kind !== 'result' || 'limit' in evaluation.result) return -1;
  return evaluation.result.events.length;
}

describe('a program that has to be stopped', () => {
  it.each([
    ['an endless loop', ENDLESS, 'time'],
    ['an endless loop in a job', 'Promise.resolve().then(() => { for (;;); })\ns("bd")', 'time'],
    ['an endless loop when its events are asked for', 's("bd").fmap(() => { for (;;); })', 'time'],
    ['a regular expression that explodes', "/^(a+)+$/.test('a'.repeat(40) + 'b')\ns('bd')", 'time'],
    ['what the engine does in one piece', "new Array(2 ** 31).join('x')\ns('bd')", 'time'],
    [
      'an allocation bomb',
      'const all = []\nconst f = () => { for (;;) all.push(new Uint8Array(1e6)) }\nf()',
      'memory',
    ],
    ['one huge text', "'x'.repeat(2 ** 28)\ns('bd')", 'memory'],
    ['too many small objects', 'const all = []\nconst f = () => { for (;;) all.push([]) }\nf()', 'memory'],
    ['endless recursion', 'const f = () => f()\nf()', 'stack'],
    ['deep nesting', "JSON.parse('['.repeat(1e5))\ns('bd')", 'stack'],
  ])('fails for %s, and the next one is not harmed', async (_, code, limit) => {
    // Memory and stack give way at once; only where time is what gives way the limit is short.
    const settings = limit === 'time' ? { timeLimitMs: 300 } : { timeLimitMs: 30_000 };
    const provider = new StrudelProvider(evaluator);

    expect(await invokeProvider(provider, { code }, settings)).toMatchObject({
      status: 'failed',
      failure: { code: 'sandbox.limit-exceeded', retryable: false, details: { limit } },
    });
    expect(countOf(await evaluate())).toBe(3);
  });
});

describe('an evaluator that dies', () => {
  it('fails the evaluation under way as worth another try, and starts again', async () => {
    const provider = new StrudelProvider(evaluator);
    await evaluate();
    const pid = Number(evaluator.pid);
    const underWay = invokeProvider(provider, { code: ENDLESS }, { timeLimitMs: 60_000 });
    process.kill(pid, 'SIGKILL');

    expect(await underWay).toMatchObject({
      status: 'failed',
      failure: { code: 'strudel.evaluator-died', retryable: true },
    });
    expect(countOf(await evaluate())).toBe(3);
    expect(evaluator.pid).not.toBe(pid);
  });

  it('is not installed where its bundle is missing', async () => {
    const absent = new StrudelEvaluator({ ...EVALUATOR_FILES, bundle: '/nowhere/bundle.js' });

    expect(absent.isInstalled).toBe(false);
    expect(await absent.evaluate(GOOD, new AbortController().signal)).toMatchObject({ kind: 'died' });
  });
});

describe('an evaluator at work', () => {
  it('evaluates in the order in which it is asked', async () => {
    const order: number[] = [];
    const jobs = [1, 2, 3, 4].map(async (count) => {
      const evaluation = await evaluate({ code: `s("bd*${count}")` });
      order.push(count);
      return countOf(evaluation);
    });

    expect(await Promise.all(jobs)).toEqual([1, 2, 3, 4]);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('lets go of an aborted job that waits, before the one ahead of it ends', async () => {
    const ended: string[] = [];
    const abort = new AbortController();
    const ahead = evaluate({ code: ENDLESS, timeLimitMs: 500 }).then((evaluation) => {
      ended.push('ahead');
      return evaluation;
    });
    const waiting = evaluate({}, abort.signal).then((evaluation) => {
      ended.push('waiting');
      return evaluation;
    });
    abort.abort();

    expect(await waiting).toEqual({ kind: 'aborted' });
    expect(await ahead).toEqual({ kind: 'result', result: { limit: 'time' } });
    expect(ended).toEqual(['waiting', 'ahead']);
  });

  it('ends the process of an aborted job, and starts again', async () => {
    await evaluate();
    const pid = evaluator.pid;
    const abort = new AbortController();
    const underWay = evaluate({ code: ENDLESS, timeLimitMs: 60_000 }, abort.signal);
    await setImmediate();
    abort.abort();

    expect(await underWay).toEqual({ kind: 'aborted' });
    expect(countOf(await evaluate())).toBe(3);
    expect(evaluator.pid).not.toBe(pid);
  });

  it('keeps one process for jobs that end by themselves', async () => {
    await evaluate();
    const pid = evaluator.pid;
    await evaluate({ code: 'foo(' });
    await evaluate();

    expect(pid).toEqual(expect.any(Number));
    expect(evaluator.pid).toBe(pid);
  });

  it('ends a process without work', async () => {
    const hasty = new StrudelEvaluator(EVALUATOR_FILES, { overrunMs: 200, idleMs: 1 });
    expect(countOf(await hasty.evaluate(GOOD, new AbortController().signal))).toBe(3);
    while (hasty.pid !== undefined) await setImmediate();

    expect(countOf(await hasty.evaluate(GOOD, new AbortController().signal))).toBe(3);
    await hasty.stop();
  });
});

describe('the process of the evaluator', () => {
  it('ends when its input does', async () => {
    const child = spawn(process.execPath, [EVALUATOR_FILES.entry, EVALUATOR_FILES.bundle], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end();

    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'has no environment and its own folder (read from /proc)',
    async () => {
      await evaluate();
      const folder = `/proc/${evaluator.pid ?? ''}`;

      expect(readFileSync(`${folder}/environ`, 'utf8')).toBe('');
      expect(readlinkSync(`${folder}/cwd`)).toBe(dirname(EVALUATOR_FILES.entry));
      expect(readFileSync(`${folder}/cmdline`, 'utf8').split('\0')).toEqual(
        expect.arrayContaining(['--permission', '--max-old-space-size=128']),
      );
    },
  );
});
