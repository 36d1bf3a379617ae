import { sql } from 'kysely';

import { RunLease, type Claimed, type Due, type DueRun, type Renewal } from '../../runs/run.lease.js';
import type { Claim } from '../../runs/domain/claim.js';
import { hasLease } from './live-owner.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, Statement } from './statement.js';

const MAX_ATTENTION = 1_000;
/** How long the row of a retired owner stays, so that nobody can come back under its id. */
const TOMBSTONE_MS = 86_400_000;

interface RenewColumns {
  readonly owner_id: string;
  readonly ttl_ms: number;
}

interface ClaimColumns {
  readonly run_id: string;
  readonly owner_id: string;
  /** The epoch seen; null for any. */
  readonly epoch: number | null;
}

interface HeldColumns {
  readonly run_id: string;
  readonly owner_id: string;
  readonly epoch: number;
}

interface LevelColumns {
  readonly priority: number;
  readonly limit: number;
}

/** A level of priority on which free runs wait: when its first is due, and its first after now. */
interface Level {
  readonly priority: number;
  readonly first_at: number;
  readonly next_at: number | null;
}

export class SqlRunLease extends RunLease {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  /** A row that has run out, or was retired, stays as it is: then nothing comes back. */
  private readonly renewOwner = this.database.prepare('owner.renew', (p: Slots<RenewColumns>) =>
    this.database.kysely
      .insertInto('owners')
      .values({
        id: p.owner_id,
        expires_at: sql<number>`${this.database.dialect.now()} + cast(${p.ttl_ms} as bigint)`,
        retired_at: null,
      })
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((eb) => ({ expires_at: eb.ref('excluded.expires_at') }))
          .where('owners.expires_at', '>', this.database.dialect.now())
          .where('owners.retired_at', 'is', null),
      )
      .returning('expires_at'),
  );

  private readonly readAttention = this.database.prepare(
    'owner.attention',
    (p: Slots<{ readonly owner_id: string }>) =>
      this.database.kysely
        .selectFrom('runs')
        .select('id')
        .where('owner_id', '=', p.owner_id)
        .where('wake_at', '<=', this.database.dialect.now())
        .orderBy('wake_at')
        .orderBy('id')
        .limit(sql.lit(MAX_ATTENTION)),
  );

  private readonly readNow = this.database.prepare('database.now', () =>
    this.database.kysely.selectNoFrom(sql<number>`cast(${this.database.dialect.now()} as bigint)`.as('now')),
  );

  /** Ends a lease even if it was never seen: the id is then used up. */
  private readonly retireNamed = this.database.prepare(
    'owner.retire',
    (p: Slots<{ readonly owner_id: string }>) =>
      this.database.kysely
        .insertInto('owners')
        .values({ id: p.owner_id, expires_at: 0, retired_at: this.database.dialect.now() })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet((eb) => ({ retired_at: eb.ref('excluded.retired_at') }))
            .where('owners.retired_at', 'is', null),
        ),
  );

  private readonly retireExpired = this.database.prepare('owner.retire-expired', () =>
    this.database.kysely
      .updateTable('owners')
      .set({ retired_at: this.database.dialect.now() })
      .where('retired_at', 'is', null)
      .where('expires_at', '<=', this.database.dialect.now()),
  );

  private readonly retireAll = this.database.prepare('owner.retire-all', () =>
    this.database.kysely
      .updateTable('owners')
      .set({ retired_at: this.database.dialect.now() })
      .where('retired_at', 'is', null),
  );

  /**
   * Frees what retired owners hold. It asks for every retired owner and not only for those of this call, so a claim
   * that was won in the moment of retirement is found by the next one.
   */
  private readonly freeRuns = this.database.prepare('run.free-retired', () =>
    this.database.kysely
      .updateTable('runs')
      .set({ owner_id: null, wake_at: this.database.dialect.now() })
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('runs as held')
          .select('held.id')
          .where('held.owner_id', 'in', (retired) =>
            retired.selectFrom('owners').select('owners.id').where('owners.retired_at', 'is not', null),
          )
          .orderBy('held.id')
          .modifyEnd(this.database.dialect.forUpdateOf('held')),
      ),
  );

  private readonly forgetOwners = this.database.prepare('owner.forget', () =>
    this.database.kysely
      .deleteFrom('owners')
      .where('retired_at', '<', sql<number>`${this.database.dialect.now()} - ${sql.lit(TOMBSTONE_MS)}`)
      .where((eb) =>
        eb.not(
          eb.exists(eb.selectFrom('runs').select('runs.id').whereRef('runs.owner_id', '=', 'owners.id')),
        ),
      ),
  );

  private readonly claimRun = this.database.prepare('run.claim', (p: Slots<ClaimColumns>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ owner_id: p.owner_id, epoch: sql`epoch + 1` })
      .where('id', '=', p.run_id)
      .where('owner_id', 'is', null)
      .where(sql<boolean>`epoch = coalesce(${p.epoch}, epoch)`)
      .where(hasLease(this.database.dialect, p.owner_id))
      .returning(['namespace', 'epoch', 'last_seq', 'inbox_seq']),
  );

  private readonly parkRun = this.database.prepare(
    'run.park',
    (p: Slots<HeldColumns & { readonly inbox_seq: number; readonly wake_at: number | null }>) =>
      this.database.kysely
        .updateTable('runs')
        .set({ owner_id: null, wake_at: p.wake_at })
        .where('id', '=', p.run_id)
        .where('owner_id', '=', p.owner_id)
        .where('epoch', '=', p.epoch)
        .where('inbox_seq', '=', p.inbox_seq),
  );

  private readonly releaseRun = this.database.prepare('run.release', (p: Slots<HeldColumns>) =>
    this.database.kysely
      .updateTable('runs')
      .set({ owner_id: null, wake_at: this.database.dialect.now() })
      .where('id', '=', p.run_id)
      .where('owner_id', '=', p.owner_id)
      .where('epoch', '=', p.epoch),
  );

  /**
   * The levels of priority on which free runs wait. The recursion jumps from one level to the next, so its cost is
   * the number of levels and not of runs: a million parked runs cost the same as one.
   */
  private readonly readLevels = this.database.prepare('run.due-levels', () => {
    const { now } = this.database.dialect;
    const free = sql`owner_id is null and wake_at is not null`;
    return sql<Level>`with recursive levels(level) as (
      select max(priority) from runs where ${free}
      union all
      select (select max(priority) from runs where ${free} and priority < level) from levels where level is not null
    )
    select level as priority,
      (select min(wake_at) from runs where ${free} and priority = level) as first_at,
      (select min(wake_at) from runs where ${free} and priority = level and wake_at > ${now()}) as next_at
    from levels where level is not null order by level desc`;
  });

  private readonly readLevel = this.database.prepare('run.due', (p: Slots<LevelColumns>) =>
    this.database.kysely
      .selectFrom('runs')
      .select(['id', 'epoch', 'priority', 'wake_at'])
      .where('owner_id', 'is', null)
      .where('priority', '=', p.priority)
      .where('wake_at', '<=', this.database.dialect.now())
      .orderBy('wake_at')
      .orderBy('id')
      .limit(p.limit),
  );

  private readonly readExpiry = this.database.prepare('owner.next-expiry', () =>
    this.database.kysely
      .selectFrom('owners')
      .select(sql<number | null>`min(expires_at)`.as('expires_at'))
      .where('retired_at', 'is', null),
  );

  override async renew(ownerId: string, ttlMs: number): Promise<Renewal> {
    const outcome = await this.database.write({
      statements: [
        this.renewOwner.guard({ owner_id: ownerId, ttl_ms: ttlMs }),
        this.readAttention.bind({ owner_id: ownerId }),
      ],
      otherwise: [this.readNow.bind({})],
    });
    if (!outcome.held)
      return { held: false, now: this.readNow.rowsIn(outcome, 0)[0]?.now ?? 0, attention: [] };
    const expiresAt = this.renewOwner.rowsIn(outcome, 0)[0]?.expires_at ?? 0;
    return {
      held: true,
      now: expiresAt - ttlMs,
      attention: this.readAttention.rowsIn(outcome, 1).map(({ id }) => id),
    };
  }

  override async retire(which: { readonly ownerId: string } | 'expired' | 'all'): Promise<number> {
    const outcome = await this.database.write({
      statements: [this.retirement(which), this.freeRuns.bind({}), this.forgetOwners.bind({})],
    });
    return outcome.results[1]?.changes ?? 0;
  }

  override async claim(runId: string, ownerId: string, seenEpoch?: number): Promise<Claimed | undefined> {
    const values = { run_id: runId, owner_id: ownerId, epoch: seenEpoch ?? null };
    const outcome = await this.database.write({ statements: [this.claimRun.bind(values)] });
    const [row] = this.claimRun.rowsIn(outcome, 0);
    return (
      row && {
        claim: { runId, ownerId, epoch: row.epoch },
        namespace: row.namespace,
        lastSeq: row.last_seq,
        inboxSeq: row.inbox_seq,
      }
    );
  }

  override async park(claim: Claim, inboxSeq: number, wakeAt: number | undefined): Promise<boolean> {
    const values = { ...heldColumns(claim), inbox_seq: inboxSeq, wake_at: wakeAt ?? null };
    const outcome = await this.database.write({ statements: [this.parkRun.bind(values)] });
    return (outcome.results[0]?.changes ?? 0) > 0;
  }

  override async release(claim: Claim): Promise<void> {
    await this.database.write({ statements: [this.releaseRun.bind(heldColumns(claim))] });
  }

  override async due(limit: number): Promise<Due> {
    const [levels, [expiry]] = await Promise.all([
      this.database.read(this.readLevels.bind({})),
      this.database.read(this.readExpiry.bind({})),
    ]);
    const nextTimes = levels.flatMap(({ next_at }) => (next_at === null ? [] : [next_at]));
    return {
      runs: await this.dueRuns(levels, limit),
      ...(nextTimes.length > 0 && { nextWakeAt: Math.min(...nextTimes) }),
      ...(typeof expiry?.expires_at === 'number' && { nextExpiryAt: expiry.expires_at }),
    };
  }

  private async dueRuns(levels: readonly Level[], limit: number): Promise<readonly DueRun[]> {
    const runs: DueRun[] = [];
    for (const { priority, first_at, next_at } of levels) {
      if (runs.length >= limit) break;
      if (first_at === next_at) continue;
      const rows = await this.database.read(this.readLevel.bind({ priority, limit: limit - runs.length }));
      runs.push(
        ...rows.map(({ id, epoch, wake_at }) => ({ runId: id, epoch, priority, wakeAt: wake_at ?? 0 })),
      );
    }
    return runs;
  }

  private retirement(which: { readonly ownerId: string } | 'expired' | 'all'): Statement {
    if (which === 'expired') return this.retireExpired.bind({});
    if (which === 'all') return this.retireAll.bind({});
    return this.retireNamed.bind({ owner_id: which.ownerId });
  }
}

function heldColumns({ runId, ownerId, epoch }: Claim): HeldColumns {
  return { run_id: runId, owner_id: ownerId, epoch };
}
