import pg from 'pg';

import { assertTestDatabase, chooseSuite, describeWithPostgres } from '../support/services.js';

const url = 'postgres://postgres@127.0.0.1:5432/ensemble_test';

describe('chooseSuite', () => {
  it.each([
    ['runs where the variable is set', { TEST_URL: url }, { kind: 'run', url }],
    ['skips at a desk where it is not', {}, { kind: 'skip', reason: 'skipped: TEST_URL is not set' }],
    ['takes an empty variable for one that is not set', { TEST_URL: '' }, { kind: 'skip' }],
    ['fails under CI where it is not set', { CI: 'true' }, { kind: 'fail', reason: 'TEST_URL is not set' }],
  ])('%s', (_, environment, choice) => {
    expect(chooseSuite('TEST_URL', environment)).toMatchObject(choice);
  });

  it('refuses a database whose name lacks "test"', () => {
    expect(() => assertTestDatabase('postgres://test:test@test/ensemble')).toThrow(
      'refuse database "ensemble"',
    );
  });
});

describeWithPostgres('describeWithPostgres', (ownUrl) => {
  it('gives a suite a database of its own', async () => {
    const client = new pg.Client({ connectionString: ownUrl });
    await client.connect();
    const { rows } = await client.query('SELECT current_database() AS name');
    await client.end();

    expect(rows).toEqual([{ name: expect.stringMatching(/test_\d+_\d+$/) }]);
    expect(ownUrl).not.toBe(process.env['TEST_DATABASE_URL']);
  });
});
