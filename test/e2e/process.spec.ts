/** The process as it is started by people and ended by supervisors: the compiled program, not its parts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';

import { makeDataDir } from '../support/app.js';
import { describeWithPostgres } from '../support/services.js';

/** Each program starts from nothing; five of them share two cores with other tests. */
jest.setTimeout(60_000);

const READY = /^Ensemble is ready on (http:\/\/127\.0\.0\.1:\d+) \(docs at \/docs, store: (.+)\)$/m;

interface Program {
  readonly child: ChildProcess;
  /** Everything written so far. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

describe('the process', () => {
  const dataDir = makeDataDir();
  const programs: Program[] = [];

  afterEach(async () => {
    for (const { child, ended } of programs.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
  });

  afterAll(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  function run(entry: string, args: readonly string[], env: Record<string, string> = {}): Program {
    const child = spawn(process.execPath, [resolve('dist', entry), ...args], {
      cwd: dataDir,
      env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const program = { child, output: () => output, ended };
    programs.push(program);
    return program;
  }

  /** The address that the ready line names. */
  async function ready({ child, output, ended }: Program): Promise<string> {
    const isEnded = ended.then(() => true);
    while (!READY.test(output())) {
      if ((await Promise.race([once(child.stdout ?? child, 'data'), isEnded])) === true)
        throw new Error(output());
    }
    return READY.exec(output())?.[1] ?? '';
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'serves when it says so, and ends in order on %s',
    async (signal) => {
      const program = run('main.js', []);
      const url = await ready(program);
      const response = await fetch(`${url}/health/ready`);
      await response.body?.cancel();
      program.child.kill(signal);

      expect(response.status).toBe(200);
      expect(await program.ended).toBe(0);
    },
  );

  it('says in one sentence that its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    const program = run('main.js', [], { PORT: port, LOG_LEVEL: 'error' });

    expect(await program.ended).toBe(1);
    expect(program.output().trim()).toBe(
      `Ensemble cannot start: 127.0.0.1:${port} is in use by another program. Stop it, or set PORT.`,
    );
    server.close();
  });

  it('lists every problem of the configuration and exits with 78', async () => {
    const program = run('main.js', [], { PORT: 'secret-port', AGENT_ENABLE_QUEUE: 'perhaps' });

    expect(await program.ended).toBe(78);
    expect(program.output()).toContain('PORT must be a whole number from 0 to 65535');
    expect(program.output()).toContain('AGENT_ENABLE_QUEUE must be true or false');
    expect(program.output()).not.toMatch(/secret-port|perhaps/);
  });

  it('makes, lists and revokes keys while the server is stopped', async () => {
    const made = run('keys.js', ['create', '--name', 'ci', '--expires-days', '7']);
    expect(await made.ended).toBe(0);
    const [, id = '', secret = ''] = /Made (key_\w+)[^]*?(ens_[\w-]{43})/.exec(made.output()) ?? [];

    const server = run('main.js', [], { LOG_LEVEL: 'error' });
    const health = `${await ready(server)}/api/v1/health`;
    const withKey = await fetch(health, { headers: { authorization: `Bearer ${secret}` } });
    const without = await fetch(health);
    const refused = run('keys.js', ['list']);
    expect(await refused.ended).toBe(1);
    server.child.kill('SIGTERM');
    await server.ended;

    const revoked = run('keys.js', ['revoke', id]);
    expect(await revoked.ended).toBe(0);
    const listed = run('keys.js', ['list']);
    await listed.ended;

    expect([withKey.status, without.status]).toEqual([200, 401]);
    expect(refused.output()).toContain('The server is running');
    expect(listed.output()).toMatch(new RegExp(`${id}  admin  .*revoked`));
    expect(listed.output()).not.toContain(secret);
  });

  describeWithPostgres('keys on PostgreSQL', (url) => {
    it('are listed while the server runs', async () => {
      await ready(run('main.js', [], { LOG_LEVEL: 'error', DATABASE_URL: url }));
      const listed = run('keys.js', ['list'], { DATABASE_URL: url });

      expect(await listed.ended).toBe(0);
      expect(listed.output()).toContain('There are no keys.');
    });
  });

  it('explains how keys are made when the arguments are wrong', async () => {
    const program = run('keys.js', ['create']);

    expect(await program.ended).toBe(2);
    expect(program.output()).toContain('--name is required');
    expect(program.output()).toContain('Usage:');
  });
});
