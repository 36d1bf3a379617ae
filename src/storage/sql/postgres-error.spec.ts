import { postgresError } from './postgres-error.js';

it.each(['EPIPE', 'ECONNREFUSED', 'ECONNRESET', '57P01', '08006', '53300', undefined])(
  'says that the store is unavailable for %s',
  (code) => {
    expect(postgresError(Object.assign(new Error('no luck'), { code }))).toMatchObject({
      failure: { code: 'store.unavailable', message: 'PostgreSQL: no luck' },
    });
  },
);

it('says that the disk of the record is full for 53100', () => {
  const error = Object.assign(new Error('could not extend file: No space left on device'), { code: '53100' });

  expect(postgresError(error)).toMatchObject({
    failure: { code: 'store.full', kind: 'unavailable', retryable: true },
    message: expect.stringContaining('No space left on device'),
    cause: error,
  });
});

it.each(['23505', '42P01', 'XX000', 'P0001'])('leaves an error of the statement as it is: %s', (code) => {
  const error = Object.assign(new Error('duplicate'), { code });

  expect(postgresError(error)).toBe(error);
});
