import { postgresError } from './postgres-error.js';

it.each(['EPIPE', 'ECONNREFUSED', 'ECONNRESET', '57P01', '08006', '53300', undefined])(
  'says that the store is unavailable for %s',
  (code) => {
    expect(postgresError(Object.assign(new Error('no luck'), { code }))).toMatchObject({
      failure: { code: 'store.unavailable', message: 'PostgreSQL: no luck' },
    });
  },
);

it.each(['23505', '42P01', 'XX000', 'P0001'])('leaves an error of the statement as it is: %s', (code) => {
  const error = Object.assign(new Error('duplicate'), { code });

  expect(postgresError(error)).toBe(error);
});
