import { DummyDriver, Kysely, sql, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';

import { nowPlaceholder, Prepared, type Slots } from './statement.js';
import type { Tables } from './tables.js';

const provider = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
const source = { provider, now: () => 77 };

interface Values {
  readonly id: string;
  readonly wake_at: number | null;
}

describe('Prepared', () => {
  const prepared = Prepared.compile(
    'run.test',
    (p: Slots<Values>) =>
      provider
        .updateTable('runs')
        .set({ wake_at: p.wake_at, epoch: 3, updated_at: sql<number>`${nowPlaceholder()}` })
        .where('id', '=', p.id),
    source,
  );

  it('binds values by name, keeps constants, and takes the time at each call', () => {
    expect(prepared.bind({ id: 'a', wake_at: 5 })).toEqual({
      name: 'run.test',
      sql: 'update "runs" set "wake_at" = ?, "epoch" = ?, "updated_at" = ? where "id" = ?',
      parameters: [5, 3, 77, 'a'],
    });
  });

  it('stores a value that is missing as null', () => {
    expect(prepared.bind({ id: 'a', wake_at: null }).parameters).toEqual([null, 3, 77, 'a']);
  });

  it('marks a guard', () => {
    expect(prepared.guard({ id: 'a', wake_at: null }).guard).toBe(true);
  });

  it('refuses text that has no UTF-8 form', () => {
    expect(() => prepared.bind({ id: 'a\ud800b', wake_at: null })).toThrow(RangeError);
    expect(prepared.bind({ id: 'a\ud83d\ude00b', wake_at: null }).parameters).toContain('a\ud83d\ude00b');
  });
});
