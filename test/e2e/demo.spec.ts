/** The demo as people start it, and what it shows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { RunEvent } from '../../docs/examples/client/follow-run.js';
import type { JsonObject } from '../../src/kernel/json.js';
import { Api } from '../support/api.js';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

interface Board {
  readonly events: number;
  readonly interrupted: number;
  readonly steps: readonly { readonly id: string; readonly status: string; readonly note: string }[];
}
interface View {
  readonly now: number;
  readonly startedAt: number;
  readonly columns: number;
  readonly paint: (name: string, text: string) => string;
}
interface DemoBoard {
  readonly createBoard: (steps: readonly { readonly id: string; readonly agent: string }[]) => Board;
  readonly applyEvent: (board: Board, event: RunEvent) => Board;
  readonly settledCount: (board: Board) => number;
  readonly renderBoard: (board: Board, view: View) => readonly string[];
  readonly lineOf: (board: Board, event: RunEvent) => string | undefined;
  readonly painter: (hasColours: boolean) => View['paint'];
}

describe('npm run demo', () => {
  const folders: string[] = [];

  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  async function demo(
    ...args: readonly string[]
  ): Promise<{ readonly code: unknown; readonly output: string }> {
    const child = spawn(process.execPath, [join(process.cwd(), 'scripts/demo.mjs'), ...args], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    const [code] = (await once(child, 'close')) as readonly unknown[];
    folders.push(...Array.from(output.matchAll(/^ {2}(\/\S+)\.svg$/gm), ([, path = '']) => dirname(path)));
    return { code, output };
  }

  /** What lies where the demo says. */
  function fileOf(output: string, ending: string): Buffer {
    const path = new RegExp(`^ {2}(/\\S+\\${ending})$`, 'm').exec(output)?.[1] ?? '';
    return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  }

  it('composes a track, shows each step, and leaves the picture and the notes', async () => {
    const { code, output } = await demo();

    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Completed in') });
    for (const id of ['drums', 'bass', 'chords', 'lead', 'mix'])
      expect(output).toMatch(`] ${id} completed: `);
    expect(output).toMatch(/^The pattern\n {2}setcpm\(100 \/ 4\)/m);
    expect(output).toMatch(/: 5 steps, 13 events\n$/);
    expect(output).not.toContain('\u001B');
    expect(fileOf(output, '.svg').toString()).toContain('<svg');
    expect(fileOf(output, '.mid').subarray(0, 4).toString()).toBe('MThd');
  });

  it('goes on after kill -9, and does no finished step again', async () => {
    const { code, output } = await demo('--crash');
    const [before = '', after = ''] = output.split(/^kill -9 .*$/m);
    const finished = Array.from(before.matchAll(/\] (\w+) completed/g), ([, id = '']) => id);

    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('through 1 kill -9') });
    expect(finished.length).toBeGreaterThanOrEqual(1);
    for (const id of finished) expect(after).not.toContain(`] ${id} running`);
    expect(after).toContain('] mix completed');
  });

  it('takes its service with it when it is stopped half-way', async () => {
    const child = spawn(process.execPath, [join(process.cwd(), 'scripts/demo.mjs')], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
      if (output.includes('running') && !child.killed) child.kill('SIGTERM');
    });
    const [code] = (await once(child, 'close')) as readonly unknown[];
    const [, url = '', pid = ''] = /service (\S+), process (\d+)/.exec(output) ?? [];
    await until(() => isGone(Number(pid)), `process ${pid} is gone`);

    expect(code).toBe(130);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('says in one sentence that claude needs a key', async () => {
    const { code, output } = await demo('--claude');

    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringMatching(/^\nThe demo failed: --claude needs ANTHROPIC_API_KEY.*\n$/),
    });
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe('docs/examples/compose-track-claude.json', () => {
  it('is a valid definition: four parts at once, then mix, and mending where it is needed', async () => {
    const example = JSON.parse(readFileSync('docs/examples/compose-track-claude.json', 'utf8')) as {
      readonly definition: JsonObject;
    };
    const service = await startApp({ env: { ANTHROPIC_API_KEY: 'sk-not-a-key' } });
    const { status, body } = await new Api(service.url).post('/workflows/validate', {
      definition: example.definition,
    });
    await service.close();

    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        valid: true,
        plan: { layers: [['drums', 'bass', 'chords', 'lead'], ['mix'], ['mend'], ['remix']] },
      },
    });
  });
});

describe('the board', () => {
  const view = { now: 3_500, startedAt: 1_000, columns: 80 };
  let demoBoard: DemoBoard;
  let board: Board;

  beforeAll(async () => {
    const path = join(process.cwd(), 'scripts/demo-board.mjs');
    demoBoard = (await import(path)) as DemoBoard;
  });

  beforeEach(() => {
    board = demoBoard.createBoard([
      { id: 'drums', agent: 'strudel' },
      { id: 'mix', agent: 'strudel' },
    ]);
  });

  function happens(type: string, fields: Partial<RunEvent> = {}): string | undefined {
    const event = { runId: 'run', seq: 1, type, at: new Date(2_000).toISOString(), data: {}, ...fields };
    board = demoBoard.applyEvent(board, event);
    return demoBoard.lineOf(board, event);
  }

  it('shows steps, times and progress', () => {
    happens('run.started');
    happens('step.started', { stepId: 'drums', attempt: 1 });
    const at = new Date(3_200).toISOString();
    happens('step.completed', { stepId: 'drums', at, data: { output: { valid: true, events: [1, 2] } } });
    happens('step.started', { stepId: 'mix', attempt: 1, at });

    expect(demoBoard.renderBoard(board, { ...view, paint: demoBoard.painter(false) })).toEqual([
      '  ✓ drums  strudel  2 notes and beats, valid                       1.2 s',
      '  ▸ mix    strudel  running                                        0.3 s',
      '',
      `  ${'█'.repeat(15)}${'░'.repeat(15)}  1/2 steps · 4 events · 2.5 s`,
    ]);
  });

  it('says on one line what has happened to a step', () => {
    const failure = { message: 'no\nanswer' };
    const lines = [
      happens('run.queued'),
      happens('step.started', { stepId: 'drums', attempt: 1 }),
      happens('step.interrupted', { stepId: 'drums' }),
      happens('step.started', { stepId: 'drums', attempt: 2 }),
      happens('step.retrying', { stepId: 'drums', data: { delayMs: 700, failure } }),
      happens('step.completed', {
        stepId: 'drums',
        data: { output: { valid: false, errors: [{ message: 'a' }] } },
      }),
      happens('step.skipped', { stepId: 'mix', data: { reason: 'condition-false' } }),
    ];

    expect(lines).toEqual([
      undefined,
      '[0/2] drums running',
      '[0/2] drums interrupted: its process was killed; it starts again',
      '[0/2] drums running: attempt 2',
      '[0/2] drums retrying: again in 0.7 s: no answer',
      '[1/2] drums completed: not valid: a',
      '[2/2] mix skipped: condition-false',
    ]);
    expect([board.interrupted, demoBoard.settledCount(board)]).toEqual([1, 2]);
  });

  it.each([20, 40, 60, 80, 200])('keeps within %i columns', (columns) => {
    const failure = { message: 'a very long reason '.repeat(20) };
    happens('step.started', { stepId: 'drums', attempt: 1 });
    happens('step.failed', { stepId: 'drums', data: { failure } });
    const lines = demoBoard.renderBoard(board, { ...view, columns, paint: demoBoard.painter(false) });

    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(columns, 33));
  });

  it('colours only what it is told to', () => {
    expect(demoBoard.painter(true)('green', 'a')).toBe('\u001B[32ma\u001B[0m');
    expect(demoBoard.painter(false)('green', 'a')).toBe('a');
  });
});
