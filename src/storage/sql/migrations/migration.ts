import type { Kysely } from 'kysely';

import type { SqlDialect } from '../dialect.js';

/** One step of the tables' history. Once released it is never changed; a later one follows it. */
export interface Migration {
  /** `0001-what-it-does`: sorts in the order of execution. */
  readonly name: string;
  readonly up: (db: Kysely<never>, dialect: SqlDialect) => Promise<void>;
}
