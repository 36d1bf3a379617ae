/**
 * The database that the SQL adapters stand on: queries in Kysely for ordinary work, prepared statements and units
 * for the hot paths.
 *
 * Decided here: what an adapter may ask for. Decided elsewhere: how an engine does it (sqlite-database.ts,
 * postgres-database.ts) and what differs in the text of a statement (dialect.ts).
 */
import type { Kysely } from 'kysely';

import type { Clock } from '../../platform/clock/clock.js';
import { DiskRoom } from './disk-room.js';
import type { SqlDialect } from './dialect.js';
import type { SqlAppends } from './sql-appends.js';
import {
  Prepared,
  type Buildable,
  type Slots,
  type Statement,
  type UnitOutcome,
  type WriteUnit,
} from './statement.js';
import type { Tables } from './tables.js';

export abstract class SqlDatabase {
  /** Whether the disk had room for what was written. */
  readonly room: DiskRoom;
  private readonly prepared = new Map<string, Prepared<never, unknown>>();

  protected constructor(
    readonly dialect: SqlDialect,
    readonly kysely: Kysely<Tables>,
    protected readonly clock: Pick<Clock, 'now' | 'monotonic'>,
  ) {
    this.room = new DiskRoom(() => clock.monotonic());
  }

  /** Commits the log's appends; grouped across runs. */
  abstract readonly appends: SqlAppends;

  /** The rows of one statement that only reads. */
  abstract read<R>(statement: Statement<R>): Promise<readonly R[]>;

  /**
   * Makes a unit true as a whole or not at all. Rejects when it is not known whether it was committed.
   * Never call it inside a Kysely transaction: on SQLite that waits for itself.
   */
  async write(unit: WriteUnit): Promise<UnitOutcome> {
    try {
      return await this.commit(unit);
    } catch (error) {
      this.room.note(error);
      throw error;
    }
  }

  /** Resolves when the database answers and can be written; rejects with `store.unavailable` within a second or two. */
  abstract ping(): Promise<void>;

  /** Brings the tables up to date. Safe to call from several processes at once and again later. */
  abstract migrate(): Promise<void>;

  /**
   * Resolves when this process is the only active one on the database; others wait in line. Kept until `close` or
   * until the connection is lost.
   *
   * @param onWait called once when another process is active
   */
  abstract acquireStandbyLock(onWait?: () => void): Promise<void>;

  /** Answers what was asked for before, then lets go of everything. */
  abstract close(): Promise<void>;

  /** Nest's last hook: by then nothing writes any more. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Compiles a statement once. The name is unique: asked for again, the first one is returned.
   *
   * @param build makes the query from slots, which stand in for values of the same type
   */
  prepare<P extends object, R>(name: string, build: (slots: Slots<P>) => Buildable<R>): Prepared<P, R> {
    const known = this.prepared.get(name);
    if (known !== undefined) return known as unknown as Prepared<P, R>;
    const made = Prepared.compile(name, build, { provider: this.kysely, now: () => this.clock.now() });
    this.prepared.set(name, made);
    return made;
  }

  /** How the engine does what `write` promises. */
  protected abstract commit(unit: WriteUnit): Promise<UnitOutcome>;

  /** Every statement prepared so far, by name. */
  statements(): readonly { readonly name: string; readonly sql: string }[] {
    return [...this.prepared.values()];
  }
}
