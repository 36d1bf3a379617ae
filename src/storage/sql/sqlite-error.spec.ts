import { sqliteError } from './sqlite-error.js';

it.each([
  ['SQLITE_FULL', 'store.full'],
  ['SQLITE_IOERR_SHMSIZE', 'store.full'],
  ['SQLITE_IOERR_WRITE', 'store.unavailable'],
  ['SQLITE_BUSY_SNAPSHOT', 'store.unavailable'],
])('says of %s that it is %s', (sqlite, code) => {
  expect(sqliteError({ code: sqlite, message: 'no luck' })).toMatchObject({
    failure: { code, kind: 'unavailable', retryable: true },
    message: expect.stringContaining(`SQLite: no luck (${sqlite})`),
  });
});

it('leaves an error of the statement as it is', () => {
  expect(sqliteError({ code: 'SQLITE_CONSTRAINT_UNIQUE', message: 'twice' })).toMatchObject({
    code: 'SQLITE_CONSTRAINT_UNIQUE',
    message: 'SQLite: twice',
  });
});
