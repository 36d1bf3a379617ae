/** What PostgreSQL alone promises: migration by several processes, lost connections, batches, the stable horizon. */
import { sql, type ControlledTransaction, type Kysely, type Transaction } from 'kysely';
import pg from 'pg';

import { openDatabase } from '../../src/storage/sql/open-database.js';
import { PostgresDatabase } from '../../src/storage/sql/postgres-database.js';
import { postgresError } from '../../src/storage/sql/postgres-error.js';
import type { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import type { Tables } from '../../src/storage/sql/tables.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import { aRun, aRunId, anAppend, anEvent } from '../support/a-run.js';
import { ManualClock } from '../support/manual-clock.js';
import { describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { LONG_TTL_MS, type Stores } from './record-scene.js';
import { countRows, storesOf, untilAllIsRead } from './sql-engines.js';

type Ports = Omit<Stores, 'now' | 'advance'>;

const UNAVAILABLE = { failure: { code: 'store.unavailable', kind: 'unavailable', retryable: true } };

describe('PostgreSQL that is not there', () => {
  it('is unavailable, and may be asked again', async () => {
    const opening = openDatabase(
      { dataDir: '', databaseUrl: 'postgres://postgres@127.0.0.1:1/ensemble_test' },
      new ManualClock(),
    );

    await expect(opening).rejects.toMatchObject(UNAVAILABLE);
  });
});

describeWithPostgres('on PostgreSQL', (url) => {
  describe('migration', () => {
    it('is done once by several processes that start together, and leaves a migrated database alone', async () => {
      const open = (): Promise<SqlDatabase> =>
        openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
      const databases = await Promise.all([open(), open(), open()]);
      const [first] = databases;
      await first.migrate();

      const { rows } = await sql<{
        readonly name: string;
      }>`select name from schema_migrations order by name`.execute(first.kysely);

      const names = rows.map(({ name }) => name);
      expect(names.slice(0, 2)).toEqual(['0001-first', '0002-templates']);
      expect(new Set(names).size).toBe(names.length);
      await Promise.all(databases.map((database) => database.close()));
    });

    it('waits a bounded time for somebody who reads a table that it changes, and can be tried again', async () => {
      const database = await openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
      const reader = new pg.Client({ connectionString: url });
      await reader.connect();
      await reader.query('begin');
      await reader.query('lock table runs in access share mode');
      let bound: unknown;

      const change = database.kysely.transaction().execute(async (transaction) => {
        const db = transaction as unknown as Kysely<never>;
        await database.dialect.lockSchema(db);
        ({ rows: bound } = await sql`select current_setting('lock_timeout') as bound`.execute(db));
        await sql`set local lock_timeout = 1`.execute(db);
        await sql`alter table runs add column never text`.execute(db);
      });

      expect(postgresError(await change.catch((error: unknown) => error))).toMatchObject(UNAVAILABLE);
      expect(bound).toEqual([{ bound: '5s' }]);
      await reader.end();
      await database.close();
    });

    it('makes the partitions of this month and of those that follow', async () => {
      const july = Date.UTC(2031, 10, 30);
      const database = await openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock(july));
      const id = `run_${july.toString(16).padStart(12, '0')}${'0'.repeat(20)}`;
      await storesOf(database).runs.create({ run: aRun({ id }) });

      const { rows } = await sql<{ readonly name: string }>`
      select tableoid::regclass::text as name from run_appends where run_id = ${id}`.execute(database.kysely);

      expect(rows).toEqual([{ name: 'run_appends_2031_11' }]);
      expect(await countRows(database, 'run_appends_2032_02')).toBe(0);
      await database.close();
    });
  });

  it('makes a partition later when somebody reads the whole log, such as a backup', async () => {
    const migrateIn = async (month: number): Promise<void> => {
      const database = await openDatabase(
        { dataDir: '', databaseUrl: url },
        new ManualClock(Date.UTC(2041, month)),
      );
      await database.close();
    };
    const partitions = async (): Promise<readonly string[]> => {
      const { rows } = await backup.query<{ readonly name: string }>(
        `select relname as name from pg_class where relname ~ '^run_appends_2041_..$' order by relname`,
      );
      return rows.map(({ name }) => name.slice(-2));
    };
    const backup = new pg.Client({ connectionString: url });
    await migrateIn(0);
    await backup.connect();
    await backup.query('begin');
    await backup.query('lock table run_appends in access share mode');

    await migrateIn(1);
    expect(await partitions()).toEqual(['01', '02', '03', '04']);

    await backup.query('commit');
    await migrateIn(1);
    expect(await partitions()).toEqual(['01', '02', '03', '04', '05']);
    await backup.end();
  });

  it('makes the partitions of later months as time goes by', async () => {
    const clock = new ManualClock(Date.UTC(2051, 0));
    const database = PostgresDatabase.open({ url, clock, extendEveryMs: 20 });
    await database.migrate();
    clock.advance(40 * 86_400_000);

    await until(async () => {
      const { rows } = await sql`select 1 from pg_class where relname = 'run_appends_2051_05'`.execute(
        database.kysely,
      );
      return rows.length > 0;
    }, 'the next month has a partition');

    await database.close();
  });

  describe('a log that was restored from another server', () => {
    const FAR = 1_000_000_000_000;
    const open = (): Promise<SqlDatabase> =>
      openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());

    /** One append of a run, as a transaction of the other server left it. */
    async function restored(database: SqlDatabase, xid: number): Promise<string> {
      const runId = aRunId();
      await sql`insert into run_appends (xid, run_id, namespace, first_seq, last_seq, append_id, events)
        values (${String(FAR + xid)}::text::xid8, ${runId}, 'restored', 1, 1, 'a', ${anEvent(runId, 1).text})`.execute(
        database.kysely,
      );
      return runId;
    }

    async function unread(database: SqlDatabase, follower: string): Promise<readonly string[]> {
      const { log, cursors } = storesOf(database);
      const { entries } = await log.readAfter((await cursors.find(follower)) ?? '', 1_000);
      return entries
        .filter(({ namespace }) => namespace === 'restored')
        .map(({ event }) => event.event.runId);
    }

    it('is followed from where each follower stood, and what is written from then on comes after it', async () => {
      const before = await open();
      await sql`delete from run_appends`.execute(before.kysely);
      // Positions are given before transactions commit: the second one committed first.
      const second = await restored(before, 20);
      const first = await restored(before, 10);
      const third = await restored(before, 30);
      const { cursors } = storesOf(before);
      const [place] = await sql<{ readonly position: number }>`
        select position from run_appends where run_id = ${first}`
        .execute(before.kysely)
        .then(({ rows }) => rows);
      await cursors.move('slow', `${String(FAR + 10)}:${String(place?.position)}`);
      await cursors.move('quick', `${String(FAR + 30)}:${String(Number.MAX_SAFE_INTEGER)}`);
      await before.close();

      const after = await open();
      const written = aRunId();
      await sql`insert into run_appends (run_id, namespace, first_seq, last_seq, append_id, events)
        values (${written}, 'restored', 1, 1, 'a', ${anEvent(written, 1).text})`.execute(after.kysely);
      await untilAllIsRead(after);

      expect(await unread(after, 'new')).toEqual([first, second, third, written]);
      expect(await unread(after, 'slow')).toEqual([second, third, written]);
      expect(await unread(after, 'quick')).toEqual([written]);
      await after.close();
    });

    it('is numbered once', async () => {
      const numbers = async (): Promise<readonly unknown[]> => {
        const database = await open();
        const { rows } = await sql`select xid::text, run_id from run_appends order by run_id`.execute(
          database.kysely,
        );
        await database.close();
        return rows;
      };
      const database = await open();
      await restored(database, 1);
      await database.close();

      const once = await numbers();

      expect(once.length).toBeGreaterThan(0);
      expect(await numbers()).toEqual(once);
    });
  });

  it('orders the log by numbers of transactions, also where one has a digit more than the other', async () => {
    const database = await openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
    const { log } = storesOf(database);
    const rows = [10, 9, 100].map((xid) => ({ xid, event: anEvent(aRunId(), 1) }));
    for (const { xid, event } of rows)
      await sql`insert into run_appends (xid, run_id, namespace, first_seq, last_seq, append_id, events)
        values (${String(xid)}::text::xid8, ${event.event.runId}, 'order', 1, 1, ${String(xid)}, ${event.text})`.execute(
        database.kysely,
      );

    const found: string[] = [];
    for (let cursor = '', isMore = true; isMore;) {
      const page = await log.readAfter(cursor, 1);
      found.push(
        ...page.entries.filter((one) => one.namespace === 'order').map((one) => one.event.event.runId),
      );
      isMore = page.entries.length > 0;
      ({ cursor } = page);
    }

    expect(found).toEqual([9, 10, 100].map((xid) => rows.find((row) => row.xid === xid)?.event.event.runId));
    await database.close();
  });

  describe('the record', () => {
    let database: SqlDatabase;
    let stores: Ports;
    let server: pg.Client;

    beforeAll(async () => {
      database = await openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
      stores = storesOf(database);
      server = new pg.Client({ connectionString: url });
      await server.connect();
    });

    afterAll(async () => {
      await server.end();
      await database.close();
    });

    async function claimedRun(): Promise<Claim> {
      const ownerId = aRunId().replace('run', 'own');
      const run = aRun();
      await stores.lease.renew(ownerId, LONG_TTL_MS);
      await stores.runs.create({ run, ownerId });
      return { runId: run.id, ownerId, epoch: 1 };
    }

    /** Resolves when a statement of ours waits for a lock, with the number of its process. */
    async function waitingProcess(): Promise<number> {
      let pid = 0;
      await until(async () => {
        const { rows } = await server.query<{ readonly pid: number }>(
          `select pid from pg_stat_activity where application_name = 'ensemble' and wait_event_type = 'Lock'
         and datname = current_database()`,
        );
        pid = rows[0]?.pid ?? 0;
        return pid > 0;
      }, 'a statement waits for a lock');
      return pid;
    }

    describe('an append', () => {
      it('that fails unexpectedly takes no other append of its batch with it', async () => {
        const claims = [await claimedRun(), await claimedRun(), await claimedRun()] as const;
        const [, broken] = claims;
        // A row that no run row speaks of: the log refuses it twice.
        await sql`insert into run_appends (run_id, namespace, first_seq, last_seq, append_id, events)
        values (${broken.runId}, 'default', 2, 2, 'apd_stray', ${anEvent(broken.runId, 2).text})`.execute(
          database.kysely,
        );

        const results = await Promise.allSettled(claims.map((claim) => stores.runs.append(anAppend(claim))));

        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await stores.catalogue.find('default', broken.runId)).toMatchObject({ lastSeq: 1 });
        for (const { runId } of [claims[0], claims[2]]) {
          expect(await stores.catalogue.find('default', runId)).toMatchObject({ lastSeq: 2 });
        }
      });

      it('whose connection is lost is known by its id, and can be sent again', async () => {
        const claim = await claimedRun();
        const append = anAppend(claim);
        await server.query('begin');
        await server.query('select id from runs where id = $1 for update', [claim.runId]);
        const lost = expect(stores.runs.append(append)).rejects.toMatchObject(UNAVAILABLE);
        const pid = await waitingProcess();

        await server.query('select pg_terminate_backend($1)', [pid]);
        await lost;
        await server.query('commit');

        expect(await stores.runs.findAppend(claim.runId, 1, append.appendId)).toBe(false);
        expect(await stores.runs.append(append)).toMatchObject({ outcome: 'appended' });
        expect(await stores.runs.findAppend(claim.runId, 1, append.appendId)).toBe(true);
      });

      it.each([0, 2])(
        'that waited for another transaction is judged by what that one left (beside %i others)',
        async (others) => {
          const claim = await claimedRun();
          const neighbours = await Promise.all(Array.from({ length: others }, claimedRun));
          await server.query('begin');
          await server.query('update runs set epoch = epoch + 1 where id = $1', [claim.runId]);
          const append = stores.runs.append(anAppend(claim));
          const beside = neighbours.map((neighbour) => stores.runs.append(anAppend(neighbour)));
          await waitingProcess();

          await server.query('commit');

          expect(await append).toEqual({ outcome: 'refused' });
          expect(await Promise.all(beside)).toEqual(
            neighbours.map(() => ({ outcome: 'appended', inboxSeq: 0 })),
          );
          expect(await stores.catalogue.find('default', claim.runId)).toMatchObject({ lastSeq: 1 });
        },
      );

      it.each([0, 2])(
        'that waited for an inbox row leaves the run due (beside %i others)',
        async (others) => {
          const claim = await claimedRun();
          const neighbours = await Promise.all(Array.from({ length: others }, claimedRun));
          await server.query('begin');
          await server.query(
            'update runs set inbox_seq = inbox_seq + 1, inbox_pending = inbox_pending + 1 where id = $1',
            [claim.runId],
          );
          const append = stores.runs.append(anAppend(claim));
          const beside = neighbours.map((neighbour) => stores.runs.append(anAppend(neighbour)));
          await waitingProcess();

          await server.query('commit');

          expect(await append).toEqual({ outcome: 'appended', inboxSeq: 1 });
          expect(await Promise.all(beside)).toEqual(
            neighbours.map(() => ({ outcome: 'appended', inboxSeq: 0 })),
          );
          const renewal = await stores.lease.renew(claim.ownerId, LONG_TTL_MS);
          expect(renewal.attention).toEqual([claim.runId]);
        },
      );

      it("and many others that wake each other do not stand in each other's way", async () => {
        const claims = await Promise.all(Array.from({ length: 8 }, claimedRun));
        const results = await Promise.all(
          claims.map((claim, index) => {
            const also = claims
              .filter((_, other) => other !== index)
              .map(({ runId }) => ({
                kind: 'inbox' as const,
                entry: { namespace: 'default', runId, command: { type: 'cancel' as const }, at: 1 },
              }));
            return stores.runs.append(anAppend(claim, { also }));
          }),
        );

        expect(results.map(({ outcome }) => outcome)).toEqual(claims.map(() => 'appended'));
        for (const { runId } of claims) expect((await stores.inbox.pending(runId)).inboxSeq).toBe(7);
      });
    });

    describe('creations at the same time', () => {
      it('fill the queue to its last place and not beyond', async () => {
        await sql`delete from runs`.execute(database.kysely);

        const results = await Promise.all(
          Array.from({ length: 20 }, () => stores.runs.create({ run: aRun(), maxQueued: 5 })),
        );

        expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(5);
        expect(await countRows(database, 'runs')).toBe(5);
      });
    });

    describe('the log across runs', () => {
      /** Appends in a transaction that the test ends. */
      async function openAppend(transaction: Transaction<Tables>, runId: string): Promise<void> {
        const values = { run_id: runId, namespace: 'default', first_seq: 1, last_seq: 1, append_id: 'a' };
        await transaction
          .insertInto('run_appends')
          .values({ ...values, events: anEvent(runId, 1).text })
          .execute();
      }

      async function startAppend(runId: string): Promise<ControlledTransaction<Tables>> {
        const transaction = await database.kysely.startTransaction().execute();
        await openAppend(transaction, runId);
        return transaction;
      }

      async function runIdsAfter(cursor: string): Promise<readonly string[]> {
        const { entries } = await stores.log.readAfter(cursor, 100);
        return entries.map(({ event }) => event.event.runId);
      }

      it('hides what is younger than an open transaction, and shows all in stable order when it has ended', async () => {
        const [older, younger] = [aRunId(), aRunId()];
        await untilAllIsRead(database);
        const start = await stores.log.head();
        const first = await startAppend(older);
        const second = await startAppend(younger);

        await second.commit().execute();
        expect(await runIdsAfter(start)).toEqual([]);
        const during = await stores.log.head();

        await first.commit().execute();
        await untilAllIsRead(database);
        expect(await runIdsAfter(start)).toEqual([older, younger]);
        expect(await runIdsAfter(during)).toEqual([older, younger]);
      });

      it('goes on behind a transaction that was rolled back', async () => {
        const [undone, kept] = [aRunId(), aRunId()];
        await untilAllIsRead(database);
        const start = await stores.log.head();
        const first = await startAppend(undone);
        const second = await startAppend(kept);
        await second.commit().execute();

        await first.rollback().execute();
        await untilAllIsRead(database);

        expect(await runIdsAfter(start)).toEqual([kept]);
      });
    });

    describe('connections', () => {
      it('that are all cut off are replaced, and the process lives', async () => {
        await Promise.all(Array.from({ length: 5 }, () => database.ping()));
        const [begun, cut] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
        const transaction = database.kysely.transaction().execute(async (db) => {
          begun.resolve(undefined);
          await cut.promise;
          await sql`select 1`.execute(db);
        });
        await begun.promise;

        await server.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'ensemble' and datname = current_database()`,
        );
        cut.resolve(undefined);

        await expect(transaction).rejects.toThrow();
        await until(
          () =>
            database.ping().then(
              () => true,
              () => false,
            ),
          'the database answers again',
        );
        expect(await stores.runs.create({ run: aRun() })).toEqual({ outcome: 'created' });
      });
    });

    describe('the standby lock', () => {
      it('keeps a second process waiting until the first one is gone', async () => {
        const [active, standby] = [1, 2].map(() => PostgresDatabase.open({ url, clock: new ManualClock() }));
        await active?.acquireStandbyLock();
        const waits = Promise.withResolvers<undefined>();
        let isActive = false;
        const turn = standby
          ?.acquireStandbyLock(() => {
            waits.resolve(undefined);
          })
          .then(() => (isActive = true));
        await waits.promise;
        expect(isActive).toBe(false);

        await active?.close();

        expect(await turn).toBe(true);
        await standby?.close();
      });
    });
  });
});
