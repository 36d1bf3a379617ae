import { parseConfig } from './config.schema.js';

/** What several processes need. */
const BOTH = { DATABASE_URL: 'postgres://localhost/a', REDIS_URL: 'redis://localhost' };

describe('parseConfig', () => {
  it('gives the defaults for an empty environment', () => {
    const result = parseConfig({});

    expect(result).toMatchObject({
      ok: true,
      value: {
        server: { host: '127.0.0.1', port: 3000, role: 'all', trustProxy: false },
        storage: { dataDir: './data', databaseUrl: undefined, redisUrl: undefined },
        engine: { maxConcurrentRuns: 10, maxQueueSize: 100, contextTtlMs: 3_600_000, queueEnabled: true },
        templates: { cacheTtlMs: 300_000 },
        agents: { healthIntervalMs: 60_000 },
        limits: { maxBodyBytes: 4_194_304, maxJsonDepth: 64, maxJsonKeys: 100_000 },
        rates: { read: 6000, write: 600, start: 1200, render: 6000, execute: 300 },
      },
    });
  });

  it('takes an empty variable for an unset one', () => {
    expect(parseConfig({ PORT: '', DATABASE_URL: '  ', AGENT_ENABLE_QUEUE: '' })).toMatchObject({
      ok: true,
      value: { server: { port: 3000 }, storage: { databaseUrl: undefined }, engine: { queueEnabled: true } },
    });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('reads the flag %s', (text, expected) => {
    expect(parseConfig({ AGENT_ENABLE_QUEUE: text })).toMatchObject({
      ok: true,
      value: { engine: { queueEnabled: expected } },
    });
  });

  it.each([
    ['true', true],
    ['2', 2],
    ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
  ])('reads the proxies %s', (text, expected) => {
    expect(parseConfig({ TRUST_PROXY: text })).toMatchObject({
      ok: true,
      value: { server: { trustProxy: expected } },
    });
  });

  it('reports every problem at once by name, and never a value', () => {
    const result = parseConfig({
      PORT: 'secret-a',
      AGENT_MAX_PARALLEL_STEPS: '1001',
      AGENT_ENABLE_QUEUE: 'secret-b',
      LOG_LEVEL: 'loud',
      ADMIN_KEY: 'too short',
      REDIS_URL: 'redis://localhost:6379',
      DATABASE_URL: 'mysql://root:secret-c@localhost/x',
    });

    if (result.ok) throw new Error('expected problems');
    expect(result.failure.map(({ variable }) => variable)).toEqual([
      'PORT',
      'DATABASE_URL',
      'AGENT_ENABLE_QUEUE',
      'AGENT_MAX_PARALLEL_STEPS',
      'ADMIN_KEY',
      'LOG_LEVEL',
    ]);
    expect(JSON.stringify(result.failure)).not.toMatch(/secret|loud|1001|too short/);
  });

  it.each([
    ['Redis without a database', { REDIS_URL: 'redis://localhost' }, ['DATABASE_URL']],
    ['a part without both stores', { ROLE: 'worker', DATABASE_URL: 'postgres://localhost/a' }, ['ROLE']],
    ['a part with nothing', { ROLE: 'api' }, ['ROLE']],
    [
      'an API that can not leave runs to workers',
      { ...BOTH, ROLE: 'api', AGENT_ENABLE_QUEUE: '0' },
      ['AGENT_ENABLE_QUEUE'],
    ],
  ])('refuses %s', (_, environment, variables) => {
    const result = parseConfig(environment);

    expect(result.ok ? [] : result.failure.map(({ variable }) => variable)).toEqual(variables);
  });

  it('executes nothing in the role api, and asks for the health of no agent in the role worker', () => {
    expect(parseConfig({ ...BOTH, ROLE: 'api' })).toMatchObject({
      value: { engine: { maxConcurrentRuns: 0 }, agents: { healthIntervalMs: 60_000 } },
    });
    expect(parseConfig({ ...BOTH, ROLE: 'worker' })).toMatchObject({
      value: { engine: { maxConcurrentRuns: 10 }, agents: { healthIntervalMs: 0 } },
    });
  });

  it('gives a configuration that nobody can change', () => {
    const result = parseConfig({});

    expect(result.ok && Object.isFrozen(result.value) && Object.isFrozen(result.value.server)).toBe(true);
  });
});
