import { sql } from 'kysely';

import { DutyStore } from '../../platform/ports/duty.store.js';
import { hasLease } from './live-owner.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';

/** Of `pg_advisory_xact_lock`: any number that nothing else in the database uses. */
const DUTY_LOCK = 0x656e_7364;

interface TakeColumns {
  /** A JSON list of lists with one name each. */
  readonly names: string;
  readonly owner_id: string;
}

export class SqlDutyStore extends DutyStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  /**
   * Whoever takes duties waits here for those who do as well. The statement after it sees what they committed: their
   * leases, which were registered before, included.
   */
  private readonly lock = this.prepareLock();

  /** A row for each name, nobody's. */
  private readonly addNames = this.database.prepare('duty.add', (p: Slots<Pick<TakeColumns, 'names'>>) =>
    this.database.kysely
      .insertInto('duties')
      .columns(['name', 'owner_id'])
      .expression(sql`select name, cast(null as text) from ${this.namesIn(p.names)} as wanted where true`)
      .onConflict((conflict) => conflict.column('name').doNothing()),
  );

  private readonly takeFree = this.database.prepare('duty.take', (p: Slots<TakeColumns>) =>
    this.database.kysely
      .updateTable('duties')
      .set({ owner_id: p.owner_id })
      .where('name', 'in', sql<string>`(select name from ${this.namesIn(p.names)} as wanted)`)
      .where(hasLease(this.database.dialect, p.owner_id))
      .where((eb) =>
        eb.or([
          eb('duties.owner_id', 'is', null),
          eb.not(
            eb.exists(
              eb
                .selectFrom('owners as holder')
                .select('holder.id')
                .whereRef('holder.id', '=', 'duties.owner_id')
                .where('holder.id', '<>', p.owner_id)
                .where('holder.retired_at', 'is', null),
            ),
          ),
        ]),
      )
      .returning('name'),
  );

  /** Without a lock and without a write: mostly there is nothing to be had. */
  private readonly countOthers = this.database.prepare('duty.count-held', (p: Slots<TakeColumns>) =>
    this.database.kysely
      .selectFrom('duties')
      .innerJoin('owners', 'owners.id', 'duties.owner_id')
      .select(({ fn }) => fn.countAll<number>().as('held'))
      .where('duties.name', 'in', sql<string>`(select name from ${this.namesIn(p.names)} as wanted)`)
      .where('owners.id', '<>', p.owner_id)
      .where('owners.retired_at', 'is', null),
  );

  private readonly giveUpAll = this.database.prepare(
    'duty.give-up',
    (p: Slots<{ readonly owner_id: string }>) =>
      this.database.kysely.updateTable('duties').set({ owner_id: null }).where('owner_id', '=', p.owner_id),
  );

  override async take(names: readonly string[], ownerId: string): Promise<readonly string[]> {
    const rows = JSON.stringify(names.map((name) => [name]));
    const [others] = await this.database.read(this.countOthers.bind({ names: rows, owner_id: ownerId }));
    if (others?.held === new Set(names).size) return [];
    const locked = this.lock === undefined ? [] : [this.lock.bind({})];
    const outcome = await this.database.write({
      statements: [
        ...locked,
        this.addNames.bind({ names: rows }),
        this.takeFree.bind({ names: rows, owner_id: ownerId }),
      ],
    });
    return this.takeFree.rowsIn(outcome, locked.length + 1).map(({ name }) => name);
  }

  override async giveUp(ownerId: string): Promise<void> {
    await this.database.write({ statements: [this.giveUpAll.bind({ owner_id: ownerId })] });
  }

  private namesIn(names: unknown) {
    return this.database.dialect.rowsOf(names as string, { name: 'text' });
  }

  private prepareLock() {
    const { lockWhere } = this.database.dialect;
    if (lockWhere === undefined) return undefined;
    return this.database.prepare('duty.lock', () => lockWhere(DUTY_LOCK, sql<boolean>`true`));
  }
}
