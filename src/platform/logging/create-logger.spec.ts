import { parseConfig } from '../config/config.schema.js';
import { createLogger } from './create-logger.js';
import { withLogFields } from './log-fields.js';
import { NestLogger } from './nest-logger.js';

const SECRETS = {
  ANTHROPIC_API_KEY: 'canary-anthropic',
  ADMIN_KEY: 'canary-admin-key-of-my-own-choice',
  DATABASE_URL: 'postgres://me:canary-password@localhost/ensemble',
};

describe('the logger', () => {
  const lines: Record<string, unknown>[] = [];
  let text = '';

  function loggerOf(env: Record<string, string> = {}): NestLogger {
    const config = parseConfig({ LOG_LEVEL: 'info', ...env });
    if (!config.ok) throw new Error('not a configuration');
    const write = (line: string): void => {
      text += line;
      lines.push(JSON.parse(line) as Record<string, unknown>);
    };
    return new NestLogger(createLogger(config.value, { write }));
  }

  beforeEach(() => {
    lines.length = 0;
    text = '';
  });

  it('writes a line of JSON with time, level, message and context', () => {
    loggerOf().log('started', 'Runs');

    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/Z$/), msg: 'started', context: 'Runs' },
    ]);
  });

  it('writes the fields of a message that is an object', () => {
    loggerOf().warn({ runId: 'run_1', msg: 'parked' }, 'Runs');

    expect(lines).toMatchObject([{ level: 'warn', runId: 'run_1', msg: 'parked', context: 'Runs' }]);
  });

  it('writes errors with their stack, passed by themselves or as Nest does', () => {
    const logger = loggerOf();
    logger.error(new Error('one'), 'Runs');
    logger.error('two', 'Error: two\n    at here', 'Runs');

    expect(lines).toMatchObject([
      { msg: 'one', err: { message: 'one', stack: expect.stringContaining('at ') }, context: 'Runs' },
      { msg: 'two', stack: 'Error: two\n    at here', context: 'Runs' },
    ]);
  });

  it('adds the fields of the work under way', async () => {
    const logger = loggerOf();
    await withLogFields({ requestId: 'req_1' }, async () => {
      await Promise.resolve();
      withLogFields({ runId: 'run_1' }, () => logger.log('inside'));
      logger.log('around');
    });
    logger.log('outside');

    expect(lines.map(({ requestId, runId }) => [requestId, runId])).toEqual([
      ['req_1', 'run_1'],
      ['req_1', undefined],
      [undefined, undefined],
    ]);
  });

  it('never writes a secret of the configuration, a key or a header that carries one', () => {
    const logger = loggerOf(SECRETS);
    logger.warn(`could not connect to ${SECRETS.DATABASE_URL} with ${SECRETS.ANTHROPIC_API_KEY}`);
    logger.error(new Error(`rejected ${SECRETS.ADMIN_KEY}`));
    logger.log({
      headers: { authorization: 'Bearer canary-header', 'x-api-key': 'canary-header' },
      msg: 'asked',
    });
    logger.log({ request: { headers: { authorization: 'Basic canary-header' } }, msg: 'asked' });
    logger.log('made ens_AbCdEfGhIjKlMnOpQrStUvWxYz and sk-ant-api03-AbCdEfGhIjKlMnOp');

    expect(lines).toHaveLength(5);
    expect(text).not.toMatch(/canary|AbCdEf/);
  });

  it('keeps what Nest tells about its modules for the level debug', () => {
    loggerOf().log('Mapped {/api/v1/runs, GET} route', 'RouterExplorer');

    expect(lines).toEqual([]);
  });
});
